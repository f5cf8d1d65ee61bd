import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { CountCommands } from '#ports/booking/command-counts.ts';
import type { Guard } from './guard.ts';
import { setRateLimit, setRateLimitExceeded } from './rate-limit-headers.ts';

const WINDOW_SECONDS = 60;
const SECOND_MS = 1_000;

/**
 * Limits the commands of a client per kind and minute, over all instances. Stands behind the guards that identify the user,
 * and before validation and whatever costs more than the count. `perMinute` 0 switches it off.
 *
 * Commands are counted together by a script of our own; `@fastify/rate-limit` asks Redis once per request (decision 0034).
 */
export function commandLimitGuard(perMinute: number, count: CountCommands) {
  async function limit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const name = request.routeOptions.schema?.operationId ?? '';
    const counting = { command: name, windowMs: WINDOW_SECONDS * SECOND_MS };
    // A user is counted by id, at whatever address; an unknown client by address.
    const counted = await count(request.userId ?? request.ip, counting).catch(unlessUnavailable);
    if (counted === undefined) return;
    const resetSeconds = Math.max(1, Math.ceil(counted.remainingMs / SECOND_MS));
    if (counted.count <= perMinute) {
      setRateLimit(reply, { name, resetSeconds }, perMinute - counted.count);
      return;
    }
    setRateLimitExceeded(reply, { name, resetSeconds }, { max: perMinute, windowSeconds: WINDOW_SECONDS });
    throw new Refusal('rate-limited', { retryAfterSeconds: resetSeconds });
  }

  return {
    preValidation: perMinute === 0 ? () => {} : limit,
    headersOfAnyAnswer: ['RateLimit'],
    refusals: ['rate-limited'],
  } as const satisfies Guard;
}

/** While Redis is unavailable nothing is counted, and every command passes. */
function unlessUnavailable(error: unknown): undefined {
  const unavailable = error instanceof Refusal && error.code === 'unavailable';
  if (!unavailable) throw error;
}
