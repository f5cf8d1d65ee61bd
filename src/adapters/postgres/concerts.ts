import type { Concert, Policy } from '#domain/concert.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { Concerts } from '#ports/concerts.ts';
import { cacheBriefly } from './cache-briefly.ts';
import type { Postgres } from './client.ts';
import { pageOf } from './page-of.ts';
import { shareReads } from './share-reads.ts';
import { type ConcertRow, rowsOf, statements } from './statements.ts';

/** A changed policy is in effect everywhere within this time. */
const CONCERT_TTL_MS = 1_000;
/** A Postgres that does not answer delays those who could go on without it no longer than this. */
const PATIENCE_MS = 250;
const CONCERTS_CACHED_MAX = 1_000;

export function postgresConcerts({ pool }: Postgres, defaults: Policy): Concerts {
  const cached = { ttlMs: CONCERT_TTL_MS, patienceMs: PATIENCE_MS, entriesMax: CONCERTS_CACHED_MAX };

  const find = cacheBriefly(async (id) => {
    const [row] = await rowsOf(pool, statements.findConcert, id);
    return row === undefined ? undefined : toConcert(row, defaults);
  }, cached);

  const listOnSale = cacheBriefly(async () => {
    const rows = await rowsOf(pool, statements.listConcertsOnSale);
    return rows.map((row) => toConcert(row, defaults));
  }, cached);

  const listDates = shareReads(async (id) => {
    const rows = await rowsOf(pool, statements.listDates, id);
    return rows.map((row) => ({ ...row, date: concertDate(row.date) }));
  });

  const listSeats = shareReads(async (key) => {
    const [id = '', date = ''] = key.split(' ');
    const rows = await rowsOf(pool, statements.listSeats, id, date);
    return rows.length === 0 ? undefined : rows.map((row) => ({ ...row, price: Number(row.price) }));
  });

  return {
    find,
    listOnSale: () => listOnSale(''),
    listDates,
    listSeats: (id, date) => listSeats(`${id} ${date}`),

    async list({ limit, after }) {
      const rows = await rowsOf(pool, statements.listConcerts, after, limit + 1);
      return pageOf(
        rows.map((row) => toConcert(row, defaults)),
        limit,
        (concert) => concert.concertId,
      );
    },
  };
}

function toConcert(row: ConcertRow, defaults: Policy): Concert {
  return {
    concertId: concertId(row.concertId),
    title: row.title,
    venue: row.venue,
    currency: row.currency,
    salesOpenAt: row.salesOpenAt,
    sales: row.sales,
    policy: {
      activeMax: row.activeMax ?? defaults.activeMax,
      waitingMax: row.waitingMax ?? defaults.waitingMax,
      sessionSeconds: row.sessionSeconds ?? defaults.sessionSeconds,
      holdSeconds: row.holdSeconds ?? defaults.holdSeconds,
      seatsPerUserMax: row.seatsPerUserMax ?? defaults.seatsPerUserMax,
    },
  };
}
