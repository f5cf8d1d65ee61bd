import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { inTransaction } from '#adapters/postgres/client/in-transaction.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { type Ask, rowsOf } from '#adapters/postgres/client/statement.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import {
  type Policy,
  type PolicyChange,
  requireLimit,
  requireOpeningInTime,
  requireSameOpening,
} from '#domain/catalog/policy.ts';
import type { SeatRun } from '#domain/catalog/seat-plan.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { cachedConcerts } from './cached-concerts.ts';
import { concertStatements, policyColumns, policyNames } from './concert-statements.ts';
import { datesAndSeats } from './dates-and-seats.ts';
import { given, readConcerts } from './read-concerts.ts';

export function postgresConcerts({ pool }: Postgres, defaults: Policy): Concerts {
  /** Outside a transaction. */
  const ask: Ask = (statement, ...values) => rowsOf(pool, statement, ...values);
  const { forget, ...cached } = cachedConcerts(ask, defaults);

  return {
    ...cached,
    ...datesAndSeats(ask),

    async create({ concertId: id, title, venue, currency, salesOpenAt, policy, dates, seatPlan }) {
      requireLimit({ ...defaults, ...given(policy) });
      const own = JSON.stringify(byColumn({ ...policy, paused: policy.paused ?? false }));
      const days = JSON.stringify(dates.map(dateColumns));
      const plan = seatPlan && JSON.stringify(seatPlan);
      const [created] = await inTransaction(pool, async (ask) => {
        await ask(concertStatements.createConcert, id, title, venue, currency, salesOpenAt, own, days, plan);
        return readConcerts(ask, defaults, concertStatements.findConcert, id);
      });
      if (created === undefined) throw new RangeError(`concert ${id} is gone`);
      forget(id);
      return created;
    },

    async changePolicy(id, change) {
      const { activeMax, admitPerWindow, opening } = defaults;
      const own = JSON.stringify(byColumn(change));
      if (change.opensAt) {
        const [last] = await ask(concertStatements.findLastDate, id);
        if (last?.startsAt) requireOpeningInTime(change.opensAt, last.startsAt);
      }
      const [changed, [concert]] = await inTransaction(pool, async (ask) => [
        await ask(concertStatements.changePolicy, id, own, activeMax, admitPerWindow, opening),
        await readConcerts(ask, defaults, concertStatements.findConcert, id),
      ]);
      if (changed.length === 0 && concert !== undefined) {
        if (change.opening !== undefined) requireSameOpening(concert, change.opening ?? opening);
        requireLimit({ activeMax: 0, admitPerWindow: 0 });
      }
      forget(id);
      return concert;
    },

    async list({ limit, after }) {
      const concerts = await readConcerts(ask, defaults, concertStatements.listConcerts, after, limit + 1);
      return pageOf(concerts, limit, (concert) => concert.concertId);
    },
  };
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
