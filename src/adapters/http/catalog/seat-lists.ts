import { rememberLast } from '#adapters/http/queue/remember-last.ts';
import type { Concert, Seat } from '#domain/catalog/concert.ts';
import type { ConcertDate } from '#domain/ids.ts';
import { revisionOf } from './etag.ts';

/** A list of seats as it is answered. */
export type SeatList = { readonly etag: string; readonly json: string };

export type ListedSeats = {
  readonly concert: Concert;
  readonly date: ConcertDate;
  /** Whether these are only those that are free. */
  readonly available: boolean;
  readonly seats: readonly Seat[];
};

/** A list of fifty seats is 4 kB, one of a stadium a few megabytes; and few dates are asked for at the same time. */
const REMEMBERED_MAX = 64;

/**
 * Writes a list and names it when something in it has changed, not each time that somebody asks. Everybody who asks at the same
 * time is given the same array by the store, and who asks later mostly one with the same seats: comparing takes a hundredth
 * of writing.
 */
export function seatLists(): (listed: ListedSeats) => SeatList {
  const written = rememberLast<{ seats: readonly Seat[]; readonly list: SeatList }>(REMEMBERED_MAX);

  return ({ concert, date, available, seats }) => {
    const key = `${concert.concertId} ${date} ${available}`;
    const last = written.recall(key);
    if (last !== undefined && areSame(last.seats, seats)) {
      last.seats = seats;
      return last.list;
    }
    const list = write({ concert, date, seats });
    written.remember(key, { seats, list });
    return list;
  };
}

function areSame(some: readonly Seat[], others: readonly Seat[]): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every((seat, index) => isSame(seat, others[index]));
}

/** Where a seat is never changes. */
function isSame({ seatNumber, price, status }: Seat, other: Seat | undefined): boolean {
  return seatNumber === other?.seatNumber && price === other.price && status === other.status;
}

function write({ concert, date, seats }: Omit<ListedSeats, 'available'>): SeatList {
  const items = seats.map(({ at, ...seat }) => ({ ...seat, currency: concert.currency, ...at }));
  const revision = revisionOf(items);
  return { etag: `"${revision}"`, json: JSON.stringify({ concertId: concert.concertId, date, revision, items }) };
}
