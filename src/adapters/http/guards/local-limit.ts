import { Refusal } from '#domain/errors.ts';
import { type Hook, hook } from './hook.ts';
import { tellRateExceeded } from './rate-limit-fields.ts';

/** What is limited by each instance for itself. Hooks, behind those that say who asks. */
export type LocalLimits = {
  readonly joining: Hook;
  readonly polling: Hook;
  /** Lists, concerts and one's own records. */
  readonly reading: Hook;
};

export type LocalLimitSettings = {
  /** Joins per client and minute; 0 switches the limit off. */
  readonly rateLimitPerMinute: number;
  /** Polls and, apart from them, other reads per client and minute; 0 switches the limit off. */
  readonly pollLimitPerMinute: number;
};

/** Seconds after which this client may come again; 0: it may now. */
export type Count = (client: string, max: number) => number;

const SECOND_MS = 1_000;
const WINDOW_SECONDS = 60;
const MINUTE_MS = WINDOW_SECONDS * SECOND_MS;
/** About 30 megabytes. Whoever comes after that many within a minute is not counted, rather than turned away. */
export const CLIENTS_MAX = 200_000;
/** Strangers are told apart by address only, and a campus or a mobile carrier has few of them for many people. */
const PEOPLE_PER_ADDRESS = 50;

/**
 * Counts within an instance, because a count that all instances share is a round trip: the price of a whole poll, and of
 * half a join in the second in which everybody joins. For calls that are harmless when repeated; the others are counted in
 * Redis. Windows are fixed, so that at their border a client may come twice as often.
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

export function localLimits({ rateLimitPerMinute, pollLimitPerMinute }: LocalLimitSettings): LocalLimits {
  return {
    joining: limit('joining', rateLimitPerMinute),
    polling: limit('polling', pollLimitPerMinute),
    reading: limit('reading', pollLimitPerMinute),
  };
}

function limit(name: string, perMinute: number): Hook {
  if (perMinute === 0) return hook(() => {});
  const count = countPerMinute();
  return hook((request, reply) => {
    const known = request.user ?? request.entry?.userId;
    const max = known === undefined ? perMinute * PEOPLE_PER_ADDRESS : perMinute;
    const retryAfterSeconds = count(known ?? request.ip, max);
    if (retryAfterSeconds === 0) return;
    // Told to those only who come too often: the others are many, and each field costs every poll.
    tellRateExceeded(reply, { name, resetSeconds: retryAfterSeconds }, { max, windowSeconds: WINDOW_SECONDS });
    throw new Refusal('rate-limited', { retryAfterSeconds });
  });
}
