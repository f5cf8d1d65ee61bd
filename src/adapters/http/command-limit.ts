import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import { type Hook, hook } from './hook.ts';

export type Counting = {
  /** Each command is counted for itself. */
  readonly command: string;
  readonly windowMs: number;
  readonly max: number;
};

/** Counts the commands of a client, at all instances together: how many in its window, and how long it goes on if these are too many. */
export type CountCommands = (
  client: string,
  counting: Counting,
) => Promise<{ readonly count: number; readonly remainingMs: number }>;

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/**
 * A hook behind those that say who asks, and in front of the one that asks the line whether they are in, which is a round trip
 * too: lets so many commands of a client pass in a minute; 0 switches the limit off.
 */
export function commandLimit(perMinute: number, count: CountCommands): Hook {
  if (perMinute === 0) return hook(() => {});
  return hook(async (request) => {
    const command = `${request.method} ${request.routeOptions.url}`;
    // While nobody can count nobody is counted: a shop that cannot count its visitors should not turn them away.
    const counted = await count(clientOf(request), { command, windowMs: MINUTE_MS, max: perMinute }).catch(
      () => undefined,
    );
    if (counted === undefined || counted.count <= perMinute) return;
    throw new Refusal('rate-limited', { retryAfterSeconds: Math.max(1, Math.ceil(counted.remainingMs / SECOND_MS)) });
  });
}

/** A known user is limited wherever they come from; a stranger by address. */
function clientOf(request: FastifyRequest): string {
  return request.user ?? request.claim?.userId ?? request.ip;
}
