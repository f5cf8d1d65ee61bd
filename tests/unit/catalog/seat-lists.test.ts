import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seats as shape } from '#adapters/http/catalog/concert-schemas.ts';
import { revisionOf } from '#adapters/http/catalog/etag.ts';
import { type ListedSeats, seatLists } from '#adapters/http/catalog/seat-lists.ts';
import type { Concert, Seat } from '#domain/catalog/concert.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const concert: Concert = {
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  title: 'The Frontrow Demo',
  venue: 'Small Hall',
  currency: 'KRW',
  salesOpenAt: new Date(0),
  sales: 'OPEN',
  opensAt: new Date(0),
  opened: true,
  opensInSeconds: 0,
  policy: POLICY,
};
const date = concertDate('2027-05-01');
const seat: fc.Arbitrary<Seat> = fc.record({
  seatNumber: fc.integer({ min: 1, max: 5 }),
  price: fc.constantFrom(1, 2),
  status: fc.constantFrom('AVAILABLE', 'HELD', 'SOLD', 'BLOCKED'),
});
/** By a plan, where a seat is goes with its number. */
const planned = (seats: readonly Seat[]): Seat[] =>
  seats.map((each) => ({ ...each, at: { section: 'Stalls', row: 'A', place: each.seatNumber, grade: 'R' } }));
const lists = fc.array(seat, { maxLength: 3 });
const listed = (seats: readonly Seat[], more: Partial<ListedSeats> = {}): ListedSeats => ({
  concert,
  date,
  available: false,
  seats,
  ...more,
});
const [one, other] = [seatOf(1), seatOf(2)];

function seatOf(seatNumber: number): Seat {
  return { seatNumber, price: 1, status: 'AVAILABLE' };
}

describe('a list of seats', () => {
  it('equals the output of its schema, with the revision of its content', () => {
    fc.assert(
      fc.property(fc.array(lists, { minLength: 1, maxLength: 10 }), fc.boolean(), (drawn, byPlan) => {
        const asked = byPlan ? drawn.map(planned) : drawn;
        const writtenOnce = seatLists();
        for (const seats of asked) {
          const items = seats.map(({ at, ...each }) => ({ ...each, currency: 'KRW', ...at }));
          const revision = revisionOf(JSON.parse(JSON.stringify(items)));
          const { etag, json } = writtenOnce(listed(structuredClone(seats)));
          expect(shape.strict().parse(JSON.parse(json))).toEqual({
            concertId: concert.concertId,
            date,
            revision,
            items,
          });
          expect(etag).toBe(`"${revision}"`);
        }
      }),
    );
  });

  it('is written once while nothing changes, for the same or an equal array', () => {
    const writtenOnce = seatLists();
    const first = writtenOnce(listed([one, other]));
    expect(writtenOnce(listed([one, other]))).toBe(first);
    expect(writtenOnce(listed([{ ...one }, { ...other }]))).toBe(first);
    const changes = [[one], [other, one], [one, { ...other, price: 2 }], [one, { ...other, status: 'HELD' as const }]];
    for (const changed of changes) {
      expect(writtenOnce(listed([one, other])).json).toBe(first.json);
      expect(writtenOnce(listed(changed)).json).not.toBe(first.json);
    }
  });

  it('differs for another concert or date, and for free seats only', () => {
    const writtenOnce = seatLists();
    const seats = [one];
    const elsewhere = { ...concert, concertId: concertId('01939c5e-0000-7000-8000-000000000002') };
    const first = writtenOnce(listed(seats));
    expect(JSON.parse(writtenOnce(listed(seats, { concert: elsewhere })).json).concertId).toBe(elsewhere.concertId);
    expect(JSON.parse(writtenOnce(listed(seats, { date: concertDate('2027-05-02') })).json).date).toBe('2027-05-02');
    expect(writtenOnce(listed([], { available: true })).json).not.toBe(first.json);
    expect(writtenOnce(listed(seats))).toBe(first);
  });
});
