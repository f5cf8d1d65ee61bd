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
/** Limits how long admission goes on while Postgres does not answer. Then time stands still in the queues. */
const SILENCE_MS_MAX = 2_000;

type CachedConcerts = Pick<Concerts, 'find' | 'findToAdmit' | 'recall' | 'listServed' | 'seatsLeft'> & {
  /** Shows a change at once on this instance; on the others within the time to live. */
  forget(id: ConcertId): void;
};

export function cachedConcerts(ask: Ask, defaults: Policy): CachedConcerts {
  let answeredAt = Number.NEGATIVE_INFINITY;
  async function read<T>(reading: Promise<T>): Promise<T> {
    const answer = await reading;
    answeredAt = performance.now();
    return answer;
  }
  /** Caches hide that Postgres does not answer. The jobs read each half second. */
  function requireAnswers(): void {
    if (performance.now() - answeredAt > SILENCE_MS_MAX) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
  }

  const find = ttlCache(async (id) => {
    const [concert] = await read(readConcerts(ask, defaults, concertStatements.findConcert, id));
    return concert;
  }, LIMITS);
  const listServed = ttlCache(() => read(readConcerts(ask, defaults, concertStatements.listServedConcerts)), LIMITS);
  const seatsLeft = ttlCache(async (id) => {
    const [row] = await read(ask(concertStatements.seatsLeft, id));
    return row ?? { available: 0, held: 0 };
  }, LIMITS);

  return {
    find,
    async findToAdmit(id) {
      const concert = await find(id);
      requireAnswers();
      return concert;
    },
    recall(id) {
      const concert = find.recall(id);
      const left = seatsLeft.recall(id);
      return concert === undefined || left === undefined ? undefined : { concert, seatsLeft: left };
    },
    async listServed() {
      const served = await listServed('');
      requireAnswers();
      return served;
    },
    seatsLeft,
    forget(id) {
      find.forget(id);
      listServed.forget('');
    },
  };
}
