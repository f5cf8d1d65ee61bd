import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { example } from '#adapters/http/openapi/schema-parts.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import type { UserId } from '#domain/ids.ts';
import type { Guard } from './guard.ts';
import { userIdOf } from './request-data.ts';

const KEY_LENGTH_MAX = 255;

/** Requires an Idempotency-Key, bare or in quotes, of 1 to 255 characters. */
export const idempotencyKeyGuard = {
  onRequest(request) {
    const key = keyOf(request);
    if (key === undefined || key === '') throw new Refusal('idempotency-key-missing');
    if (key.length > KEY_LENGTH_MAX) {
      const message = `must have at most ${KEY_LENGTH_MAX} characters`;
      throw new Refusal('validation-failed', { errors: [{ path: 'headers/idempotency-key', message }] });
    }
  },
  requestHeaders: z.object({
    'idempotency-key': example(
      z.string().describe('1 to 255 characters, bare or in quotes; the same for every repetition of a command'),
      'order-7f3a',
    ),
  }),
  headersOfSuccess: ['Idempotency-Replayed'],
  refusals: ['idempotency-key-missing', 'idempotency-key-in-use', 'idempotency-key-reused'],
} as const satisfies Guard;

/** What identifies a command: its user, its key, and a digest of the request as validated. */
export function idempotencyKeyOf(request: FastifyRequest): IdempotencyKey {
  const key = keyOf(request);
  if (key === undefined) throw new RangeError('this route has no guard for an Idempotency-Key');
  return new LazyIdempotencyKey(request, userIdOf(request), key);
}

/** Makes the digest when it is read: most requests for a contended seat are refused without it. */
class LazyIdempotencyKey implements IdempotencyKey {
  readonly #request: FastifyRequest;
  readonly userId: UserId;
  readonly key: string;

  constructor(request: FastifyRequest, userId: UserId, key: string) {
    this.#request = request;
    this.userId = userId;
    this.key = key;
  }

  get fingerprint(): string {
    const { method, url, queueEntry, body } = this.#request;
    // Only the queue token names the concert of a reservation.
    return hash('sha256', JSON.stringify([method, url, queueEntry?.concertId, body]), 'base64url');
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
