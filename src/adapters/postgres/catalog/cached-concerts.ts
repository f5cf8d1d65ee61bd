import { ttlCache } from '#adapters/memory/ttl-cache.ts';
import type { Ask } from '#adapters/postgres/client/statement.ts';
import type { Policy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { concertStatements } from './concert-statements.ts';
import { readConcerts } from './read-concerts.ts';

const LIMITS = {
  /**
   * Limits the age of cached concerts. With the pause between two admissions, a changed policy is in effect on all
   * instances within a second.
   */
  ttlMs: 500,
  /** Limits the wait for a slow Postgres when a cached value can be returned. */
  patienceMs: 250,
  entriesMax: 1_000,
};

type CachedConcerts = Pick<Concerts, 'find' | 'findToAdmit' | 'recall' | 'listServed' | 'seatsLeft'> & {
  /** Shows a change at once on this instance; on the others within the time to live. */
  forget(id: ConcertId): void;
};

export function cachedConcerts(ask: Ask, defaults: Policy): CachedConcerts {
  const { ttlMs, patienceMs, entriesMax } = LIMITS;
  const find = ttlCache(async (id) => {
    const [concert] = await readConcerts(ask, defaults, concertStatements.findConcert, id);
    return concert;
  }, LIMITS);
  /** Without an older value for a slow Postgres: jobs wait for its answer, and time stands still in the queues meanwhile. */
  const listServed = ttlCache(() => readConcerts(ask, defaults, concertStatements.listServedConcerts), {
    ttlMs,
    entriesMax,
  });
  const seatsLeft = ttlCache(async (id) => {
    const [row] = await ask(concertStatements.seatsLeft, id);
    return row ?? { available: 0, held: 0 };
  }, LIMITS);

  return {
    find,
    async findToAdmit(id) {
      const [concert] = await Promise.all([find(id), inTime(listServed(''), patienceMs)]);
      return concert;
    },
    recall(id) {
      const concert = find.recall(id);
      const left = seatsLeft.recall(id);
      return concert === undefined || left === undefined ? undefined : { concert, seatsLeft: left };
    },
    listServed: () => listServed(''),
    seatsLeft,
    forget(id) {
      find.forget(id);
      listServed.forget('');
    },
  };
}

async function inTime(reading: Promise<unknown>, limitMs: number): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Refusal('unavailable', { retryAfterSeconds: 1 })), limitMs);
  await Promise.race([reading, late]).finally(() => clearTimeout(timer));
}
