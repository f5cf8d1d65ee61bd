import type { Concert } from '#domain/catalog/concert.ts';
import {
  type Policy,
  type PolicyChange,
  requireLimit,
  requireOpeningInTime,
  requireSameOpening,
} from '#domain/catalog/policy.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Lottery } from '#domain/queue/lottery.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { isFree, lotsOf, type MemoryStore, pageOf, placedSeats, type StoredConcert, sha256 } from './memory-store.ts';

const DAY_MS = 86_400_000;

export function memoryConcerts(store: MemoryStore): Concerts {
  const now = () => store.clock.now();
  const toCome = (concertId: ConcertId) =>
    (store.concerts.get(concertId)?.dates ?? [])
      .filter(({ startsAt }) => startsAt.getTime() > now())
      .sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
  const shown = () => [...store.concerts.values()].filter(({ concertId }) => toCome(concertId).length > 0).map(view);

  function view({ dates: _, seatPlan: __, ...concert }: StoredConcert): Concert {
    const { concertId, salesOpenAt, policy } = concert;
    const opensAt = new Date(Math.max(salesOpenAt.getTime(), policy.opensAt?.getTime() ?? 0));
    const lottery = policy.opening === 'lottery' ? { lottery: lotteryOf(concertId) } : {};
    const opensInSeconds = Math.max(0, (opensAt.getTime() - now()) / 1_000);
    return { ...concert, sales: salesOf(concert), opensAt, opened: opensInSeconds === 0, opensInSeconds, ...lottery };
  }

  function lotteryOf(concertId: ConcertId): Lottery {
    const { seed, drawn } = lotsOf(store, concertId);
    const seedSha256 = sha256(seed).toString('hex');
    return drawn === undefined ? { seedSha256 } : { seedSha256, drawn: { ...drawn, seed: seed.toString('hex') } };
  }

  function salesOf({ concertId, salesOpenAt }: Pick<Concert, 'concertId' | 'salesOpenAt'>): Concert['sales'] {
    if (salesOpenAt.getTime() > now()) return 'UPCOMING';
    return toCome(concertId).length > 0 ? 'OPEN' : 'CLOSED';
  }

  function find(concertId: ConcertId): Concert | undefined {
    const concert = store.concerts.get(concertId);
    return concert === undefined ? undefined : view(concert);
  }

  function seatsLeft(concertId: ConcertId): SeatsLeft {
    const seats = toCome(concertId).flatMap((date) => date.seats);
    const available = seats.filter((seat) => isFree(store, seat)).length;
    return {
      available,
      held: seats.filter(({ status }) => status === 'AVAILABLE' || status === 'HELD').length - available,
    };
  }

  return {
    find: async (concertId) => find(concertId),
    findToAdmit: async (concertId) => find(concertId),
    seatsLeft: async (concertId) => seatsLeft(concertId),
    recall(concertId) {
      const concert = find(concertId);
      return concert === undefined ? undefined : { concert, seatsLeft: seatsLeft(concertId) };
    },

    async create({ dates, policy, seatPlan, ...plan }) {
      const concert: StoredConcert = {
        ...plan,
        policy: changed(POLICY, policy),
        ...(seatPlan === undefined
          ? {}
          : { seatPlan: { plan: seatPlan, sha256: sha256(Buffer.from(JSON.stringify(seatPlan))).toString('hex') } }),
        dates: dates.map(({ date, startsAt, seats, blocked = [] }) => ({
          date,
          startsAt,
          seats: placedSeats(seats, blocked),
        })),
      };
      requireLimit(concert.policy);
      store.concerts.set(concert.concertId, concert);
      return view(concert);
    },

    async changePolicy(concertId, change) {
      const concert = store.concerts.get(concertId);
      if (concert === undefined) return undefined;
      const policy = changed(concert.policy, change);
      requireSameOpening(view(concert), policy.opening);
      const last = Math.max(...concert.dates.map(({ startsAt }) => startsAt.getTime()));
      if (change.opensAt) requireOpeningInTime(change.opensAt, new Date(last));
      requireLimit(policy);
      store.concerts.set(concertId, { ...concert, policy });
      return view({ ...concert, policy });
    },

    async listServed() {
      const isInUse = ({ salesOpenAt, dates }: StoredConcert) =>
        salesOpenAt.getTime() <= now() && dates.some(({ startsAt }) => startsAt.getTime() > now() - DAY_MS);
      return [...store.concerts.values()].filter(isInUse).map(view);
    },

    async list(page) {
      return pageOf(shown(), ({ concertId }) => concertId, page);
    },

    async listDates(concertId) {
      return toCome(concertId).map(({ date, startsAt, seats }) => ({
        date,
        startsAt,
        seatsTotal: seats.length,
        seatsAvailable: seats.filter((seat) => isFree(store, seat)).length,
      }));
    },

    async listSeats(concertId, date) {
      const found = store.concerts.get(concertId)?.dates.find((on) => on.date === date);
      return found?.seats.map((seat) => {
        const { seatNumber, price, at } = seat;
        const status = isFree(store, seat) ? 'AVAILABLE' : seat.status;
        if (at === undefined) return { seatNumber, price, status };
        const { section, row, place, grade } = at;
        return { seatNumber, price, status, at: { section, row, place, grade } };
      });
    },

    async findSeatPlan(concertId) {
      return store.concerts.get(concertId)?.seatPlan;
    },
  };
}

/** The defaults are those of `POLICY`. */
function changed(policy: Policy, change: PolicyChange): Policy {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return {
    ...policy,
    ...Object.fromEntries(named.map(([name, value]) => [name, value ?? POLICY[name as keyof Policy]])),
  };
}
