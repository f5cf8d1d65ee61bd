import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import type { UserId } from '#domain/ids.ts';
import { hook } from './hook.ts';

const KEY_LENGTH_MAX = 255;

/** A hook: lets only commands with an Idempotency-Key pass, bare or in quotes, of 1 to 255 characters. */
export const requireIdempotencyKey = hook((request) => {
  const key = keyOf(request);
  if (key === undefined || key === '') throw new Refusal('idempotency-key-missing');
  if (key.length > KEY_LENGTH_MAX) {
    const message = `must have at most ${KEY_LENGTH_MAX} characters`;
    throw new Refusal('validation-failed', { errors: [{ path: 'headers/idempotency-key', message }] });
  }
});

/** The identity of a command: whose it is, its key, and a digest of what was asked, as validated. */
export function requestKeyOf(request: FastifyRequest, userId: UserId): RequestKey {
  const key = keyOf(request);
  if (key === undefined) throw new RangeError('this route has no requireIdempotencyKey hook');
  return new KeyOfRequest(request, userId, key);
}

/** Makes the digest when it is asked for: a crowd that comes too late for a seat is turned away without it. */
class KeyOfRequest implements RequestKey {
  readonly #request: FastifyRequest;
  readonly userId: UserId;
  readonly key: string;

  constructor(request: FastifyRequest, userId: UserId, key: string) {
    this.#request = request;
    this.userId = userId;
    this.key = key;
  }

  get fingerprint(): string {
    const { method, url, entry, body } = this.#request;
    // The concert of a reservation is named by its queue token alone.
    return hash('sha256', JSON.stringify([method, url, entry?.concertId, body]), 'base64url');
  }
}

/** Marks an answer that was given before. */
export function markReplay(reply: FastifyReply, { replayed }: Answered<unknown>): void {
  if (replayed) reply.header('idempotency-replayed', 'true');
}

function keyOf(request: FastifyRequest): string | undefined {
  const header = request.headers['idempotency-key'];
  return typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : undefined;
}
