import { setTimeout as pause } from 'node:timers/promises';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import type { ConcertId } from '#domain/ids.ts';

/** Somebody who is in, or no longer, where the look before saw the opposite. Times are milliseconds since 1970. */
export type Sighting = {
  readonly sequence: number;
  readonly look: number;
  readonly at: number;
  /** When the look before was. */
  readonly since: number;
};

/** Who is in, looked up in Redis again and again, over a connection of its own and without asking the service. */
export type SessionWatch = {
  readonly entries: readonly Sighting[];
  readonly exits: readonly Sighting[];
  /** The last look. */
  readonly waiting: number;
  readonly active: number;
  readonly activeMost: number;
  readonly passedOverMost: number;
  /** Between two looks. */
  readonly gapsMs: readonly number[];
  /** When people began to wait for a place to come free, and when nobody waited any more. */
  readonly fullFrom: number;
  readonly emptyFrom: number;
  stop(): Promise<void>;
};

type Five = [string, string, string, string, string];

/** Shorter than the shortest stay, so that nobody comes and goes unseen. */
const LOOK_EVERY_MS = 20;

export function watchSessions(redis: RedisClient, concertId: ConcertId, activeMax: number): SessionWatch {
  const names = ['active', 'sessions', 'waiting', 'rejoined', 'absent'] as const;
  const [active, sessions, line, returned, away] = names.map((name) => queueKey(concertId, name)) as Five;
  const seen = {
    entries: [] as Sighting[],
    exits: [] as Sighting[],
    waiting: 0,
    active: 0,
    activeMost: 0,
    passedOverMost: 0,
    gapsMs: [] as number[],
    fullFrom: Number.POSITIVE_INFINITY,
    emptyFrom: Number.POSITIVE_INFINITY,
  };
  let inside: ReadonlySet<number> = new Set();
  let lookedAt = Date.now();
  let stopped = false;

  async function look(number: number): Promise<void> {
    // One transaction: one moment.
    const replies = await redis.multi().zcard(active).zcard(line).zcard(returned).zcard(away).hvals(sessions).exec();
    const [places, inLine, back, gone, granted] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    }) as [number, number, number, number, string[]];
    const [at, since] = [Date.now(), lookedAt];
    seen.gapsMs.push(at - since);
    lookedAt = at;
    const now = new Set(granted.map((session) => Number.parseInt(session, 10)));
    for (const sequence of now) if (!inside.has(sequence)) seen.entries.push({ sequence, look: number, at, since });
    for (const sequence of inside) if (!now.has(sequence)) seen.exits.push({ sequence, look: number, at, since });
    inside = now;
    seen.active = Math.max(places, now.size);
    seen.activeMost = Math.max(seen.activeMost, seen.active);
    seen.waiting = inLine + back;
    seen.passedOverMost = Math.max(seen.passedOverMost, gone);
    if (seen.waiting > 0 && seen.active >= activeMax) seen.fullFrom = Math.min(seen.fullFrom, at);
    if (seen.waiting === 0 && at > seen.fullFrom) seen.emptyFrom = Math.min(seen.emptyFrom, at);
  }

  const watching = (async () => {
    for (let number = 0; !stopped; number++) {
      await look(number);
      await pause(LOOK_EVERY_MS);
    }
  })();
  // Told by `stop`, to whoever waits for it.
  watching.catch(() => {});
  return Object.assign(seen, {
    async stop() {
      stopped = true;
      await watching;
    },
  });
}
