import { Refusal } from '#domain/errors.ts';
import type { Guard } from './guard.ts';
import { setRateLimitExceeded } from './rate-limit-headers.ts';

/** Counts a request. Returns 0, or the seconds after which the client may try again. */
export type Count = (client: string, max: number) => number;

const SECOND_MS = 1_000;
const WINDOW_SECONDS = 60;
const MINUTE_MS = WINDOW_SECONDS * SECOND_MS;
/** Takes about 30 megabytes. Further clients of the same minute are not counted, and pass. */
export const CLIENTS_MAX = 200_000;
/** Multiplies the limit of an unknown client: people on a campus or a mobile network share an address. */
const CLIENTS_PER_ADDRESS = 50;

/**
 * Counts within one instance: a count in Redis would cost a poll its only round trip, and half a join. For requests that are
 * harmless when repeated; the others are counted in Redis (`command-limit.ts`). Windows are fixed, so a client may send
 * twice the limit around the border of two windows.
 */
export function countPerMinute(now = () => performance.now()): Count {
  let counts = new Map<string, number>();
  let endsAt = Number.NEGATIVE_INFINITY;

  return (client, max) => {
    const at = now();
    if (at >= endsAt) {
      counts = new Map();
      endsAt = at + MINUTE_MS;
    }
    const before = counts.get(client) ?? 0;
    if (before >= max) return Math.ceil((endsAt - at) / SECOND_MS);
    if (before > 0 || counts.size < CLIENTS_MAX) counts.set(client, before + 1);
    return 0;
  };
}

/** Limits the requests of a client per minute, at each instance. Stands behind the guards that identify the user. 0 switches it off. */
export function localLimitGuard(name: string, perMinute: number) {
  const count = countPerMinute();
  return {
    onRequest(request, reply) {
      if (perMinute === 0) return;
      const max = request.userId === undefined ? perMinute * CLIENTS_PER_ADDRESS : perMinute;
      const retryAfterSeconds = count(request.userId ?? request.ip, max);
      if (retryAfterSeconds === 0) return;
      setRateLimitExceeded(reply, { name, resetSeconds: retryAfterSeconds }, { max, windowSeconds: WINDOW_SECONDS });
      throw new Refusal('rate-limited', { retryAfterSeconds });
    },
    refusals: ['rate-limited'],
  } as const satisfies Guard;
}
