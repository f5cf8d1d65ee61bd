import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { CountCommands } from '#ports/booking/command-counts.ts';
import { type Hook, hook } from './hook.ts';
import { tellRate, tellRateExceeded } from './rate-limit-fields.ts';

const WINDOW_SECONDS = 60;
const SECOND_MS = 1_000;

/**
 * A hook behind those that say who asks, and in front of whatever costs more than this: lets so many commands of a kind pass in a
 * minute; 0 switches the limit off.
 */
export function commandLimit(perMinute: number, count: CountCommands): Hook {
  if (perMinute === 0) return hook(() => {});
  return hook(async (request, reply) => {
    const name = request.routeOptions.schema?.operationId ?? '';
    const counting = { command: name, windowMs: WINDOW_SECONDS * SECOND_MS };
    const counted = await count(clientOf(request), counting).catch(unlessAway);
    if (counted === undefined) return;
    const resetSeconds = Math.max(1, Math.ceil(counted.remainingMs / SECOND_MS));
    if (counted.count <= perMinute) {
      tellRate(reply, { name, resetSeconds }, perMinute - counted.count);
      return;
    }
    tellRateExceeded(reply, { name, resetSeconds }, { max: perMinute, windowSeconds: WINDOW_SECONDS });
    throw new Refusal('rate-limited', { retryAfterSeconds: resetSeconds });
  });
}

/** While nobody can count nobody is counted: a shop that cannot count its visitors should not turn them away. */
function unlessAway(error: unknown): undefined {
  const away = error instanceof Refusal && error.code === 'unavailable';
  if (!away) throw error;
}

/** A known user is limited wherever they come from; a stranger by address. */
function clientOf(request: FastifyRequest): string {
  return request.user ?? request.entry?.userId ?? request.ip;
}
