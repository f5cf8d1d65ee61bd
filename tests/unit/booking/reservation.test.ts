import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seatOrder } from '#domain/booking/reservation.ts';

const seatNumbers = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 30 });

it('orders seats ascending, by number and not by text', () => {
  expect(seatOrder([10, 9, 100, 9])).toEqual([9, 10, 100]);
});

it('lists each seat once and omits none', () => {
  fc.assert(
    fc.property(seatNumbers, (asked) => {
      const ordered = seatOrder(asked);
      expect(new Set(ordered)).toEqual(new Set(asked));
      for (const [index, seatNumber] of ordered.entries()) {
        if (index > 0) expect(seatNumber).toBeGreaterThan(ordered[index - 1] ?? 0);
      }
    }),
  );
});

it('gives the same order for any request, so that no two commands deadlock on seats', () => {
  fc.assert(
    fc.property(seatNumbers, fc.infiniteStream(fc.nat()), (asked, keys) => {
      const shuffled = asked.map((seatNumber) => [keys.next().value ?? 0, seatNumber] as const);
      shuffled.sort(([a], [b]) => a - b);
      expect(seatOrder(shuffled.map(([, seatNumber]) => seatNumber))).toEqual(seatOrder(asked));
    }),
  );
});
