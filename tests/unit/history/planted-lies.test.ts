import { describe, expect, it } from 'vitest';
import { contradictions, HOLD_MS, PRICE, type Told } from './told.ts';

/** Ann holds a seat, has 300, and pays; 200 are left. */
function annPays(told: Told) {
  const reservation = told.reserve('ann', 'a1', 1);
  told.charge('ann', 300, 300);
  told.pay('ann', reservation, 200);
  return reservation;
}

describe('a history is rejected', () => {
  it.each<[string, string, (told: Told) => void]>([
    [
      'with a seat that is sold twice',
      'seat 1:',
      (told) => {
        annPays(told);
        told.charge('bob', PRICE, PRICE);
        told.pay('bob', told.reserve('bob', 'b1', 1), 0);
      },
    ],
    [
      'with a seat that is held twice',
      'seat 1:',
      (told) => {
        told.reserve('ann', 'a1', 1, 2);
        told.reserve('bob', 'b1', 1, 3);
      },
    ],
    [
      'with a hold that ends before its time',
      'seat 1:',
      (told) => {
        told.reserve('ann', 'a1', 1);
        told.wait(HOLD_MS / 2);
        told.seat('bob', 1, 'AVAILABLE');
      },
    ],
    [
      'with an extension that is forgotten',
      'seat 1:',
      (told) => {
        told.extend('ann', told.reserve('ann', 'a1', 1), 2 * HOLD_MS);
        told.wait(1.5 * HOLD_MS);
        told.reserve('bob', 'b1', 1);
      },
    ],
    [
      'with a payment after the deadline',
      'seat 1:',
      (told) => {
        const lapsed = told.reserve('ann', 'a1', 1);
        told.charge('ann', PRICE, PRICE);
        told.wait(2 * HOLD_MS);
        told.pay('ann', lapsed, 0);
      },
    ],
    [
      'with a payment that is not taken from the balance',
      'wallet of ann:',
      (told) => {
        annPays(told);
        told.balance('ann', 300);
      },
    ],
    [
      'with a payment that is taken twice and answered once',
      'wallet of ann:',
      (told) => {
        annPays(told);
        told.balance('ann', 100);
      },
    ],
    [
      'with a payment beyond the balance',
      'wallet of ann:',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.charge('ann', PRICE - 1, PRICE - 1);
        told.pay('ann', reservation, -1);
      },
    ],
    [
      'with a payment that is acknowledged and lost',
      'wallet of ann:',
      (told) => {
        annPays(told);
        told.payments('ann');
      },
    ],
    [
      'with a charge that is lost',
      'wallet of ann:',
      (told) => {
        told.charge('ann', 300, 300);
        told.charge('ann', 50, 350);
        told.balance('ann', 300);
      },
    ],
    [
      'with an unclear charge that is credited twice',
      'wallet of ann:',
      (told) => {
        told.unclear('ann', { what: 'charge', amount: 50 });
        told.balance('ann', 100);
      },
    ],
    [
      'with an unclear charge that comes and goes',
      'wallet of ann:',
      (told) => {
        told.unclear('ann', { what: 'charge', amount: 50 });
        told.balance('ann', 50);
        told.balance('ann', 0);
      },
    ],
    [
      'with a stale list of seats',
      'seat 1:',
      (told) => {
        told.reserve('ann', 'a1', 1);
        told.seat('bob', 1, 'AVAILABLE');
      },
    ],
    [
      'with two lists that see two changes in opposite orders',
      'seat 1:',
      (told) => {
        told.unclear('ann', { what: 'reserve', seatNumbers: [1] });
        told.seat('bob', 1, 'HELD');
        told.seat('bob', 1, 'AVAILABLE');
      },
    ],
    [
      'with a hold that lists show and no user has',
      'seat 1:',
      (told) => {
        told.unclear('ann', { what: 'reserve', seatNumbers: [1] });
        told.seat('bob', 1, 'HELD');
        told.reservations('ann');
      },
    ],
    [
      'with a refund that is made twice',
      '(seat 1|wallet of ann):',
      (told) => {
        const reservation = annPays(told);
        told.refund('ann', reservation, 300);
        told.refund('ann', reservation, 400);
      },
    ],
    [
      'with a refund that leaves the seat sold',
      'seat 1:',
      (told) => {
        told.refund('ann', annPays(told), 300);
        told.seat('bob', 1, 'SOLD');
      },
    ],
    [
      'with a reservation that is acknowledged and lost',
      'reservation a1',
      (told) => {
        told.reserve('ann', 'a1', 1);
        told.reservations('ann');
      },
    ],
    [
      'with a reservation that is not found any more',
      'reservation a1',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.refused('ann', { what: 'pay', reservation }, 'reservation-not-found');
      },
    ],
    [
      'with an ended reservation that is live again',
      'seat 1:',
      (told) => {
        told.release('ann', told.reserve('ann', 'a1', 1));
        told.reservations('ann', { reservationId: 'a1', seatNumbers: [1], status: 'HELD' });
      },
    ],
    [
      'with one key and two answers',
      'ann same',
      (told) => {
        const ending = (balance: number) => ({ kind: 'done', said: { balance } }) as const;
        told.call('ann', { what: 'charge', amount: 50 }, ending(50), { key: 'same' });
        told.call('ann', { what: 'charge', amount: 50 }, ending(100), { key: 'same' });
      },
    ],
    [
      'with a refusal for lack of money despite a sufficient balance',
      'wallet of ann:',
      (told) => {
        const reservation = told.reserve('ann', 'a1', 1);
        told.charge('ann', 300, 300);
        const said = { required: PRICE, balance: 0 };
        told.refused('ann', { what: 'pay', reservation }, 'insufficient-balance', said);
      },
    ],
  ])('%s', (_, about, story) => {
    const found = contradictions(story);
    expect(found).not.toEqual([]);
    expect(found.filter((said) => !new RegExp(`^${about}`).test(said))).toEqual([]);
  });
});
