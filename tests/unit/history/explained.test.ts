import { describe, expect, it } from 'vitest';
import { contradictions, HOLD_MS, PRICE, type Told } from './told.ts';

const LONG = { startMs: 0, endMs: 10 };

describe('a history is explained', () => {
  it.each<[string, (told: Told) => void]>([
    [
      'in which a seat is held, extended, paid, refunded and sold again',
      (told) => {
        const first = told.reserve('ann', 'a1', 1, 2);
        told.extend('ann', first, 2 * HOLD_MS);
        told.charge('ann', 500, 500);
        told.pay('ann', first, 300);
        told.seat('bob', 2, 'SOLD');
        told.refund('ann', first, 500);
        told.seat('bob', 2, 'AVAILABLE');
        told.charge('bob', PRICE, PRICE);
        told.pay('bob', told.reserve('bob', 'b1', 2), 0);
        told.reservations('ann', { reservationId: 'a1', seatNumbers: [1, 2], status: 'CANCELLED' });
        told.payments('ann', { reservationId: 'a1', refundedAt: 'now' });
      },
    ],
    [
      'in which a hold expires, and another user takes the seat',
      (told) => {
        const lapsed = told.reserve('ann', 'a1', 1);
        told.wait(HOLD_MS);
        told.reserve('bob', 'b1', 1);
        told.refused('ann', { what: 'pay', reservation: lapsed }, 'hold-expired');
        told.reservations('ann', { reservationId: 'a1', seatNumbers: [1], status: 'EXPIRED' });
      },
    ],
    [
      'in which an unanswered payment took place',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.charge('ann', 300, 300);
        told.unclear('ann', { what: 'pay', reservation });
        told.seat('bob', 1, 'HELD');
        told.balance('ann', 300);
        told.balance('ann', 200);
        told.seat('bob', 1, 'SOLD');
        told.payments('ann', { reservationId: 'a1' });
      },
    ],
    [
      'in which it did not',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.charge('ann', 300, 300);
        told.unclear('ann', { what: 'pay', reservation });
        told.release('ann', reservation);
        told.balance('ann', 300);
        told.seat('bob', 1, 'AVAILABLE');
      },
    ],
    [
      'in which it was repeated with its key until it was answered',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.charge('ann', 300, 300);
        const { key = '' } = told.unclear('ann', { what: 'pay', reservation });
        told.seat('bob', 1, 'SOLD');
        told.call('ann', { what: 'pay', reservation }, { kind: 'done', said: { balance: 200 } }, { key });
        told.balance('ann', 200);
      },
    ],
    [
      'in which an unanswered hold is found by its user, and paid',
      (told) => {
        told.unclear('ann', { what: 'reserve', seatNumbers: [1] });
        told.seat('bob', 1, 'HELD');
        told.reservations('ann', { reservationId: 'a1', seatNumbers: [1], status: 'HELD' });
        told.charge('ann', PRICE, PRICE);
        told.pay('ann', { reservationId: 'a1', seatNumbers: [1], amount: PRICE }, 0);
        told.seat('bob', 1, 'SOLD');
      },
    ],
    [
      'in which a read that overlaps a hold sees either state',
      (told) => {
        told.call(
          'bob',
          { what: 'seats' },
          { kind: 'done', said: { items: [{ seatNumber: 1, status: 'HELD' }] } },
          LONG,
        );
        told.call(
          'bob',
          { what: 'seats' },
          { kind: 'done', said: { items: [{ seatNumber: 1, status: 'AVAILABLE' }] } },
          LONG,
        );
        told.reserve('ann', 'a1', 1);
      },
    ],
  ])('%s', (_, story) => {
    expect(contradictions(story)).toEqual([]);
  });
});
