import { lruCache } from '#adapters/memory/lru-cache.ts';
import type { Concert, Seat } from '#domain/catalog/concert.ts';
import type { ConcertDate } from '#domain/ids.ts';
import { revisionOf } from './etag.ts';

/** A seat list as the text of its answer. */
export type SeatList = { readonly etag: string; readonly json: string };

export type ListedSeats = {
  readonly concert: Concert;
  readonly date: ConcertDate;
  /** Whether the list has free seats only. */
  readonly available: boolean;
  readonly seats: readonly Seat[];
};

/** A list of fifty seats is 4 kB, one of a stadium a few megabytes. Beyond this size, entries are evicted. */
const LISTS_MAX = 64;

/**
 * Serializes and hashes a list when it has changed, not for each request: comparing takes a hundredth of serializing.
 * Concurrent requests get the same array from the store, later ones mostly an equal one.
 */
export function seatLists(): (listed: ListedSeats) => SeatList {
  const written = lruCache<{ seats: readonly Seat[]; readonly list: SeatList }>(LISTS_MAX);

  return ({ concert, date, available, seats }) => {
    const key = `${concert.concertId} ${date} ${available}`;
    const last = written.get(key);
    if (last !== undefined && areSame(last.seats, seats)) {
      last.seats = seats;
      return last.list;
    }
    const list = write({ concert, date, seats });
    written.set(key, { seats, list });
    return list;
  };
}

function areSame(some: readonly Seat[], others: readonly Seat[]): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every((seat, index) => isSame(seat, others[index]));
}

/** The position of a seat never changes. */
function isSame({ seatNumber, price, status }: Seat, other: Seat | undefined): boolean {
  return seatNumber === other?.seatNumber && price === other.price && status === other.status;
}

function write({ concert, date, seats }: Omit<ListedSeats, 'available'>): SeatList {
  const items = seats.map(({ at, ...seat }) => ({ ...seat, currency: concert.currency, ...at }));
  const revision = revisionOf(items);
  return { etag: `"${revision}"`, json: JSON.stringify({ concertId: concert.concertId, date, revision, items }) };
}
