import { randomBytes } from 'node:crypto';
import { singleFlight } from '#adapters/memory/single-flight.ts';
import { ttlCache } from '#adapters/memory/ttl-cache.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { inTransaction } from '#adapters/postgres/client/in-transaction.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { type Ask, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { FreeSeat } from '#domain/booking/best-seats.ts';
import type { Concert, Seat } from '#domain/catalog/concert.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import { type Policy, type PolicyChange, requireLimit, requireSameOpening } from '#domain/catalog/policy.ts';
import type { SeatRun } from '#domain/catalog/seat-plan.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { Lottery } from '#domain/queue/lottery.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { type ConcertRow, concertStatements, policyColumns, type SeatRow } from './concert-statements.ts';

/**
 * Limits the age of cached concerts. With the pause between two admissions, a changed policy is in effect on all
 * instances within a second.
 */
const CONCERT_TTL_MS = 500;
/** Limits the wait for a slow Postgres when a cached value can be returned. */
const PATIENCE_MS = 250;
const CONCERTS_CACHED_MAX = 1_000;
/** The length of a SHA-256 digest, which is published of it. */
const SEED_BYTES = 32;

export function postgresConcerts({ pool }: Postgres, defaults: Policy): Concerts {
  const cached = { ttlMs: CONCERT_TTL_MS, patienceMs: PATIENCE_MS, entriesMax: CONCERTS_CACHED_MAX };

  /**
   * Creates the missing seed of a lottery before its concert is returned, so that the hash of the seed is always public.
   */
  async function withLots(ask: Ask, look: () => Promise<ConcertRow[]>): Promise<Concert[]> {
    const rows = await look();
    const without = rows.filter((row) => drawsLots(row, defaults) && row.seedSha256 === null);
    if (without.length === 0) return rows.map((row) => toConcert(row, defaults));
    const ids = without.map(({ concertId }) => concertId);
    const seeds = ids.map(() => randomBytes(SEED_BYTES));
    await ask(concertStatements.prepareLots, ids, seeds);
    // Again, as concurrent changes may have added others.
    return withLots(ask, look);
  }

  async function read(ask: Ask, id: string): Promise<Concert | undefined> {
    const [concert] = await withLots(ask, () => ask(concertStatements.findConcert, id));
    return concert;
  }

  /** Outside a transaction. */
  const ask: Ask = (statement, ...values) => rowsOf(pool, statement, ...values);

  const find = ttlCache((id) => read(ask, id), cached);

  const listOnSale = ttlCache(() => withLots(ask, () => ask(concertStatements.listConcertsOnSale)), cached);

  const seatsLeft = ttlCache(async (id) => {
    const [row] = await rowsOf(pool, concertStatements.seatsLeft, id);
    return row ?? { available: 0, held: 0 };
  }, cached);

  /** At once on this instance; on the others within the time to live. */
  function showNow(id: string): void {
    find.forget(id);
    listOnSale.forget('');
  }

  const listDates = singleFlight(async (id) => {
    const rows = await rowsOf(pool, concertStatements.listDates, id);
    return rows.map((row) => ({ ...row, date: concertDate(row.date) }));
  });

  const listSeats = singleFlight(async (key) => {
    const [id = '', date = ''] = key.split(' ');
    const rows = await rowsOf(pool, concertStatements.listSeats, id, date);
    return rows.length === 0 ? undefined : rows.map(toSeat);
  });

  const listFreeSeats = singleFlight((key): Promise<readonly FreeSeat[]> => {
    const [id = '', date = ''] = key.split(' ');
    return rowsOf(pool, functions.freeSeats, id, date);
  });

  return {
    find,
    recall(id) {
      const concert = find.recall(id);
      const left = seatsLeft.recall(id);
      return concert === undefined || left === undefined ? undefined : { concert, seatsLeft: left };
    },
    listOnSale: () => listOnSale(''),
    seatsLeft,
    listDates,
    listSeats: (id, date) => listSeats(`${id} ${date}`),
    listFreeSeats: (id, date) => listFreeSeats(`${id} ${date}`),

    async findSeatPlan(id) {
      const [kept] = await rowsOf(pool, concertStatements.findSeatPlan, id);
      return kept;
    },

    async create({ concertId: id, title, venue, currency, salesOpenAt, policy, dates, seatPlan }) {
      requireLimit({ ...defaults, ...given(policy) });
      const own = JSON.stringify(byColumn({ ...policy, paused: policy.paused ?? false }));
      const days = JSON.stringify(dates.map(dateColumns));
      const plan = seatPlan && JSON.stringify(seatPlan);
      const created = await inTransaction(pool, async (ask) => {
        await ask(concertStatements.createConcert, id, title, venue, currency, salesOpenAt, own, days, plan);
        return read(ask, id);
      });
      if (created === undefined) throw new RangeError(`concert ${id} is gone`);
      showNow(id);
      return created;
    },

    async changePolicy(id, change) {
      const { activeMax, admitPerWindow, opening } = defaults;
      const own = JSON.stringify(byColumn(change));
      const { changed, concert } = await inTransaction(pool, async (ask) => {
        const rows = await ask(concertStatements.changePolicy, id, own, activeMax, admitPerWindow, opening);
        return { changed: rows.length > 0, concert: await read(ask, id) };
      });
      if (!changed && concert !== undefined) {
        if (change.opening !== undefined) requireSameOpening(concert, change.opening ?? opening);
        requireLimit({ activeMax: 0, admitPerWindow: 0 });
      }
      showNow(id);
      return concert;
    },

    async list({ limit, after }) {
      const concerts = await withLots(ask, () => ask(concertStatements.listConcerts, after, limit + 1));
      return pageOf(concerts, limit, (concert) => concert.concertId);
    },
  };
}

const policyNames = Object.keys(policyColumns) as (keyof Policy)[];

/** The fields that the concert sets itself. */
function given(decided: PolicyChange): Partial<Policy> {
  const names = policyNames.filter((name) => decided[name] !== undefined && decided[name] !== null);
  return Object.fromEntries(names.map((name) => [name, decided[name]]));
}

/** The row for `jsonb_populate_record`. */
function byColumn(change: PolicyChange): Readonly<Record<string, unknown>> {
  return Object.fromEntries(policyNames.map((name) => [policyColumns[name], change[name]]));
}

function dateColumns({ date, startsAt, seats, blocked = [] }: ConcertPlan['dates'][number]) {
  return {
    date,
    starts_at: startsAt,
    seats: seats.map(runColumns),
    blocked: Object.fromEntries(blocked.map((number) => [number, true])),
  };
}

function runColumns({ at, ...run }: SeatRun) {
  if (at === undefined) return run;
  const { section, row, rank, place, offCentre, grade } = at;
  return { ...run, section, row_label: row, row_rank: rank, place, off_centre: offCentre, grade };
}

function toSeat({ seatNumber, price, status, section, row, place, grade }: SeatRow): Seat {
  const seat = { seatNumber, price: Number(price), status };
  if (section === null || row === null || place === null || grade === null) return seat;
  return { ...seat, at: { section, row, place, grade } };
}

function drawsLots({ opening }: Pick<ConcertRow, 'opening'>, defaults: Policy): boolean {
  return (opening ?? defaults.opening) === 'lottery';
}

/** For a concert with a lottery. */
function toLottery({ seedSha256, seed, drawnCount, drawnAt }: ConcertRow): Lottery {
  if (seedSha256 === null) throw new RangeError('lots without a seed');
  if (seed === null || drawnAt === null) return { seedSha256 };
  return { seedSha256, drawn: { seed, count: Number(drawnCount), at: drawnAt } };
}

function toConcert(row: ConcertRow, defaults: Policy): Concert {
  return {
    concertId: concertId(row.concertId),
    title: row.title,
    venue: row.venue,
    currency: row.currency,
    salesOpenAt: row.salesOpenAt,
    sales: row.sales,
    opensAt: row.queueOpensAt,
    opened: row.opened,
    policy: { ...defaults, ...given(row) },
    ...(drawsLots(row, defaults) ? { lottery: toLottery(row) } : {}),
  };
}
