import { v7 as newId } from 'uuid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Hold } from '#domain/booking/reservation.ts';
import { concertDate, concertId, paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import type { OutboxMessage } from '#ports/booking/box-office.ts';
import { expectRefusal } from './expect-refusal.ts';
import { HOUR_MS } from './stage-concert.ts';
import {
  allPages,
  ask,
  CEILING_SECONDS,
  DAY_MS,
  granted,
  HOLD_MS,
  HOLD_SECONDS,
  OUTBOX_DUE_MS,
  OUTBOX_LEASE_MS,
  openBoxOffice,
  type StoreHarness,
} from './store-harness.ts';

const PLENTY = 1_000;

/** What holds of every box office. Prices of seats 1 to 5 are 10,000 to 50,000. */
export function boxOfficeContract(harness: StoreHarness): void {
  const { boxOffice, wallets, passes } = harness;
  const open = () => openBoxOffice(harness);

  describe('holding', () => {
    it('holds all of the seats until a deadline, at their present prices', async () => {
      const { concert, date, user, orderOf, statuses } = await open();
      const fan = await user();
      const order = orderOf(fan, [2, 3]);
      const outcome = await boxOffice.hold(order);
      expect(outcome).toMatchObject({
        outcome: 'held',
        replayed: false,
        answer: {
          reservationId: order.reservationId,
          userId: fan,
          concertId: concert.concertId,
          date,
          seatNumbers: [2, 3],
          status: 'HELD',
          amount: 50_000,
          currency: 'KRW',
          heldForSeconds: HOLD_SECONDS,
        },
      });
      const { heldUntil, createdAt } = granted(outcome);
      expect(heldUntil.getTime() - createdAt.getTime()).toBe(HOLD_MS);
      const remainingMs = outcome.outcome === 'held' ? outcome.remainingMs : 0;
      expect(remainingMs).toBeGreaterThan(HOLD_MS - 5_000);
      expect(remainingMs).toBeLessThanOrEqual(HOLD_MS);
      expect(await statuses()).toEqual(['AVAILABLE', 'HELD', 'HELD', 'AVAILABLE', 'AVAILABLE']);
      expect(await boxOffice.findReservation(fan, order.reservationId)).toEqual(granted(outcome));
    });

    it('holds none when one is taken, and returns its holder and the remaining time', async () => {
      const { user, hold, orderOf, statuses } = await open();
      const theirs = await hold(await user(), 2);
      const order = orderOf(await user(), [1, 2, 3]);
      const outcome = await boxOffice.hold(order);
      if (outcome.outcome !== 'taken') throw new RangeError();
      expect(outcome.occupied).toMatchObject([
        { seatNumber: 2, by: { userId: theirs.userId, reservationId: theirs.reservationId } },
      ]);
      expect(outcome.occupied[0]?.forMilliseconds).toBeGreaterThan(HOLD_MS - 5_000);
      expect(outcome.occupied[0]?.forMilliseconds).toBeLessThanOrEqual(HOLD_MS);
      expect(await statuses()).toEqual(['AVAILABLE', 'HELD', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE']);
      expect(await boxOffice.findReservation(order.userId, order.reservationId)).toBeUndefined();
    });

    it('returns no deadline for a sold or blocked seat, and no holder of a blocked one', async () => {
      const { user, hold, pay, orderOf } = await openBoxOffice(harness, {
        dates: [{ startsInMs: HOUR_MS, prices: [100, 100], blocked: [2] }],
      });
      const sold = await hold(await user(100), 1);
      await pay(sold);
      const outcome = await boxOffice.hold(orderOf(await user(), [1, 2]));
      const by = { userId: sold.userId, reservationId: sold.reservationId };
      expect(outcome).toEqual({ outcome: 'taken', occupied: [{ seatNumber: 1, by }, { seatNumber: 2 }] });
    });

    it('ends an expired hold and takes its seats', async () => {
      const { user, hold, statusOf, statuses, pay } = await open();
      const late = await hold(await user(30_000), 1, 2);
      await passes(HOLD_MS);
      const mine = await hold(await user(10_000), 1);
      expect(await statusOf(late)).toBe('EXPIRED');
      expect(await statuses()).toEqual(['HELD', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE']);
      await expectRefusal(pay(late), 'hold-expired');
      expect((await pay(mine)).answer.amount).toBe(10_000);
    });

    it('gives each seat to one of many concurrent holds', async () => {
      const { user, orderOf, statuses } = await open();
      const fans = await Promise.all(Array.from({ length: 12 }, () => user()));
      const outcomes = await Promise.all(fans.map((fan) => boxOffice.hold(orderOf(fan, [1, 2]))));
      expect(outcomes.filter(({ outcome }) => outcome === 'held')).toHaveLength(1);
      expect(await statuses()).toEqual(['HELD', 'HELD', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE']);
    });

    it('is refused for a date that is unknown, belongs to an unknown concert, or has begun', async () => {
      const { user, orderOf } = await open();
      const over = await openBoxOffice(harness, { dates: [{ startsInMs: -1_000, prices: [1] }] });
      const fan = await user();
      const unknown = orderOf(fan, [1], { date: concertDate('2001-01-01') });
      await expectRefusal(boxOffice.hold(unknown), 'date-not-found');
      await expectRefusal(boxOffice.hold(orderOf(fan, [1], { concertId: concertId(newId()) })), 'date-not-found');
      await expectRefusal(boxOffice.hold(over.orderOf(fan, [1])), 'date-not-found');
    });

    it('is refused to unknown users', async () => {
      const { orderOf, statuses } = await open();
      await expectRefusal(boxOffice.hold(orderOf(userId(newId()), [1])), 'user-not-found');
      expect((await statuses())?.[0]).toBe('AVAILABLE');
    });

    it('is refused for seats that do not exist, and names them', async () => {
      const { user, orderOf, statuses } = await open();
      const order = orderOf(await user(), [1, 6, 7]);
      await expectRefusal(boxOffice.hold(order), 'seat-not-found', { seatNumbers: [6, 7] });
      expect((await statuses())?.[0]).toBe('AVAILABLE');
    });

    it('is refused beyond the limit per user and date, which counts held and paid seats', async () => {
      const { user, hold, pay, orderOf } = await open();
      const fan = await user(10_000);
      await pay(await hold(fan, 1));
      await hold(fan, 2, 3);
      const order = orderOf(fan, [4, 5]);
      await expectRefusal(boxOffice.hold(order), 'seat-limit-reached', { limit: 4, held: 3 });
      expect(granted(await boxOffice.hold({ ...order, seatNumbers: [4] })).seatNumbers).toEqual([4]);
    });

    it('does not count released and expired seats, or those of another date, against the limit', async () => {
      const { user, hold, orderOf } = await open();
      const fan = await user();
      await hold(fan, 1, 2);
      await passes(HOLD_MS);
      const { reservationId } = await hold(fan, 3, 4, 5);
      await boxOffice.release(fan, reservationId);
      const elsewhere = await open();
      await elsewhere.hold(fan, 1, 2, 3, 4);
      expect(granted(await boxOffice.hold(orderOf(fan, [1, 2, 3, 4]))).seatNumbers).toHaveLength(4);
    });
  });

  describe('holds of one user within the length of a session', () => {
    const limits = { holdsPerSessionMax: 2, sessionSeconds: HOLD_MS / 1_000 };

    it('are refused beyond the limit, which counts released ones, but not repeated commands', async () => {
      const { user, orderOf } = await open();
      const fan = await user();
      const orders = [orderOf(fan, [1], limits), orderOf(fan, [1], limits)];
      for (const order of orders) {
        await boxOffice.release(fan, granted(await boxOffice.hold(order)).reservationId);
        expect(await boxOffice.hold(order)).toMatchObject({ replayed: true });
      }
      await expectRefusal(boxOffice.hold(orderOf(fan, [1], limits)), 'hold-limit-reached', {
        limit: 2,
        withinSeconds: limits.sessionSeconds,
      });
      granted(await boxOffice.hold(orderOf(await user(), [1], limits)));
    });

    it('are possible again once the first is older', async () => {
      const { user, orderOf } = await open();
      const fan = await user();
      for (const seat of [1, 2]) granted(await boxOffice.hold(orderOf(fan, [seat], limits)));
      await passes(HOLD_MS);
      granted(await boxOffice.hold(orderOf(fan, [1], limits)));
    });
  });

  describe('a repeated command', () => {
    it('gets its first answer: a hold', async () => {
      const { user, hold, orderOf, statuses } = await open();
      const fan = await user();
      const order = orderOf(fan, [1]);
      const first = granted(await boxOffice.hold(order));
      const again = () => boxOffice.hold({ ...order, reservationId: reservationId(newId()) });
      expect(await again()).toMatchObject({ outcome: 'held', answer: first, replayed: true });
      await passes(HOLD_MS);
      await hold(await user(), 1);
      expect(await again()).toMatchObject({ outcome: 'held', answer: first, replayed: true });
      expect((await boxOffice.listReservations(fan, { limit: 10 })).items).toHaveLength(1);
      expect((await statuses())?.filter((status) => status === 'HELD')).toHaveLength(1);
    });

    it('gets its first answer: a payment', async () => {
      const { user, charge, hold, payOrderOf, balanceOf } = await open();
      const fan = await user(30_000);
      const order = payOrderOf(await hold(fan, 1));
      const first = await boxOffice.pay(order);
      await charge(fan, 5);
      const again = await boxOffice.pay({ ...order, paymentId: paymentId(newId()) });
      expect(again).toEqual({ ...first, replayed: true });
      expect(await balanceOf(fan)).toBe(20_005);
    });

    it('has one effect, however many are sent at once', async () => {
      const { user, orderOf, payOrderOf, balanceOf } = await open();
      const fan = await user(30_000);
      const order = orderOf(fan, [1]);
      const held = await Promise.all(Array.from({ length: 10 }, () => boxOffice.hold(order)));
      expect(held.filter((outcome) => outcome.outcome === 'held' && !outcome.replayed)).toHaveLength(1);
      expect(new Set(held.map((outcome) => JSON.stringify(granted(outcome)))).size).toBe(1);
      const [first] = held;
      if (first === undefined) throw new RangeError();
      const payOrder = payOrderOf(granted(first));
      const paid = await Promise.all(Array.from({ length: 10 }, () => boxOffice.pay(payOrder)));
      expect(paid.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(paid.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
      expect(await balanceOf(fan)).toBe(20_000);
    });

    it('is refused with other content', async () => {
      const { user, orderOf, payOrderOf, hold, statuses } = await open();
      const fan = await user(30_000);
      const order = orderOf(fan, [1], { request: ask(fan, 'key', 'hold 1') });
      await boxOffice.hold(order);
      const other = { ...order, seatNumbers: [2], request: ask(fan, 'key', 'hold 2') };
      await expectRefusal(boxOffice.hold(other), 'idempotency-key-reused');
      const reservation = await hold(fan, 3);
      await expectRefusal(boxOffice.pay(payOrderOf(reservation, ask(fan, 'key', 'pay'))), 'idempotency-key-reused');
      await expectRefusal(boxOffice.knows(ask(fan, 'key', 'else')), 'idempotency-key-reused');
      expect(await statuses()).toEqual(['HELD', 'AVAILABLE', 'HELD', 'AVAILABLE', 'AVAILABLE']);
    });

    it('is tried again if it was refused before', async () => {
      const { user, charge, hold, orderOf, payOrderOf } = await open();
      const theirs = await hold(await user(), 1);
      const fan = await user();
      const order = orderOf(fan, [1]);
      expect(await boxOffice.hold(order)).toMatchObject({ outcome: 'taken' });
      await boxOffice.release(theirs.userId, theirs.reservationId);
      const payOrder = payOrderOf(granted(await boxOffice.hold(order)));
      await expectRefusal(boxOffice.pay(payOrder), 'insufficient-balance');
      await charge(fan, 10_000);
      expect(await boxOffice.pay(payOrder)).toMatchObject({ replayed: false, answer: { balance: 0 } });
    });

    it('is known once it has its answer, and not before', async () => {
      const { user, hold, orderOf, payOrderOf } = await open();
      const fan = await user(10_000);
      const order = orderOf(fan, [1]);
      expect(await boxOffice.knows(order.request)).toBe(false);
      await boxOffice.hold(order);
      expect(await boxOffice.knows(order.request)).toBe(true);
      expect(await boxOffice.knows(ask(await user(), order.request.key))).toBe(false);
      const payOrder = payOrderOf(await hold(fan, 2));
      await expectRefusal(boxOffice.pay(payOrder), 'insufficient-balance');
      expect(await boxOffice.knows(payOrder.request)).toBe(false);
    });
  });

  describe('paying', () => {
    it('takes the price from the wallet and gives the seats to the user', async () => {
      const { date, user, hold, payOrderOf, statuses, statusOf, balanceOf, concert } = await open();
      const fan = await user(80_000);
      const reservation = await hold(fan, 2, 3);
      const order = payOrderOf(reservation);
      const { answer, replayed, hold: paidFor } = await boxOffice.pay(order);
      expect(answer).toMatchObject({
        paymentId: order.paymentId,
        reservationId: reservation.reservationId,
        userId: fan,
        amount: 50_000,
        currency: 'KRW',
        balance: 30_000,
      });
      expect(answer.paidAt).toBeInstanceOf(Date);
      expect(replayed).toBe(false);
      expect(paidFor).toEqual({
        userId: fan,
        concertId: concert.concertId,
        date,
        seatNumbers: [2, 3],
        reservationId: reservation.reservationId,
      });
      expect(await statuses()).toEqual(['AVAILABLE', 'SOLD', 'SOLD', 'AVAILABLE', 'AVAILABLE']);
      expect(await statusOf(reservation)).toBe('CONFIRMED');
      expect(await balanceOf(fan)).toBe(30_000);
      expect(await boxOffice.findPayment(fan, order.paymentId)).toEqual(answer);
    });

    it('succeeds with exactly the price in the wallet', async () => {
      const { user, hold, pay } = await open();
      expect((await pay(await hold(await user(10_000), 1))).answer.balance).toBe(0);
    });

    it('is refused when the balance is too low, and changes nothing', async () => {
      const { user, hold, pay, statuses, statusOf, balanceOf } = await open();
      const fan = await user(9_999);
      const reservation = await hold(fan, 1);
      await expectRefusal(pay(reservation), 'insufficient-balance', { required: 10_000, balance: 9_999 });
      expect(await balanceOf(fan)).toBe(9_999);
      expect(await statusOf(reservation)).toBe('HELD');
      expect((await statuses())?.[0]).toBe('HELD');
      expect((await boxOffice.listPayments(fan, { limit: 1 })).items).toEqual([]);
    });

    it('is refused after the deadline, and charges nothing', async () => {
      const { user, hold, pay, balanceOf, statusOf } = await open();
      const fan = await user(10_000);
      const reservation = await hold(fan, 1);
      await passes(HOLD_MS);
      await expectRefusal(pay(reservation), 'hold-expired');
      await boxOffice.expireLapsed(PLENTY);
      await expectRefusal(pay(reservation), 'hold-expired');
      expect(await balanceOf(fan)).toBe(10_000);
      expect(await statusOf(reservation)).toBe('EXPIRED');
    });

    it('is refused a second time, by another request', async () => {
      const { user, hold, pay, balanceOf } = await open();
      const fan = await user(30_000);
      const reservation = await hold(fan, 1);
      const all = await Promise.allSettled(Array.from({ length: 10 }, () => pay(reservation)));
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of all) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'already-paid' });
      }
      expect(await balanceOf(fan)).toBe(20_000);
      expect((await boxOffice.listPayments(fan, { limit: 10 })).items).toHaveLength(1);
    });

    it('is refused for a released reservation', async () => {
      const { user, hold, pay, balanceOf } = await open();
      const fan = await user(10_000);
      const reservation = await hold(fan, 1);
      await boxOffice.release(fan, reservation.reservationId);
      await expectRefusal(pay(reservation), 'reservation-not-held');
      expect(await balanceOf(fan)).toBe(10_000);
    });

    it('is refused for a reservation that does not exist, or of another user or concert', async () => {
      const { user, hold, payOrderOf } = await open();
      const elsewhere = await open();
      const fan = await user(50_000);
      const mine = await hold(fan, 1);
      const theirs = await hold(await user(), 2);
      const refused = [
        payOrderOf({ ...mine, reservationId: reservationId(newId()) }),
        payOrderOf({ ...theirs, userId: fan }),
        elsewhere.payOrderOf(mine),
      ];
      for (const order of refused) await expectRefusal(boxOffice.pay(order), 'reservation-not-found');
    });

    it('never spends more than the balance, however many pay at once', async () => {
      const { user, hold, pay, balanceOf } = await openBoxOffice(harness, {
        dates: [{ startsInMs: HOUR_MS, prices: [100, 100, 100, 100] }],
      });
      const fan = await user(250);
      const reservations = [await hold(fan, 1), await hold(fan, 2), await hold(fan, 3), await hold(fan, 4)];
      const all = await Promise.allSettled(reservations.map((reservation) => pay(reservation)));
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(await balanceOf(fan)).toBe(50);
    });
  });

  describe('releasing', () => {
    it('frees the seats of a hold', async () => {
      const { concert, date, user, hold, statuses, statusOf } = await open();
      const fan = await user();
      const reservation = await hold(fan, 1, 2);
      expect(await boxOffice.release(fan, reservation.reservationId)).toEqual({
        userId: fan,
        concertId: concert.concertId,
        date,
        seatNumbers: [1, 2],
        reservationId: reservation.reservationId,
      });
      expect(await statusOf(reservation)).toBe('CANCELLED');
      expect(await statuses()).toEqual(Array.from({ length: 5 }, () => 'AVAILABLE'));
    });

    it('is harmless when repeated, even if another user has the seats by then', async () => {
      const { user, hold, statuses } = await open();
      const { userId, reservationId } = await hold(await user(), 1);
      const first = await boxOffice.release(userId, reservationId);
      await hold(await user(), 1);
      expect(await boxOffice.release(userId, reservationId)).toEqual(first);
      expect((await statuses())?.[0]).toBe('HELD');
    });

    it('is refused once it is paid or expired, and to other users', async () => {
      const { user, hold, pay, statuses } = await open();
      const fan = await user(10_000);
      const paid = await hold(fan, 1);
      await pay(paid);
      const lapsed = await hold(fan, 2);
      await passes(HOLD_MS);
      const theirs = await hold(await user(), 3);
      await expectRefusal(boxOffice.release(fan, paid.reservationId), 'already-paid');
      await expectRefusal(boxOffice.release(fan, lapsed.reservationId), 'hold-expired');
      await expectRefusal(boxOffice.release(fan, theirs.reservationId), 'reservation-not-found');
      await expectRefusal(boxOffice.release(fan, reservationId(newId())), 'reservation-not-found');
      expect(await statuses()).toEqual(['SOLD', 'AVAILABLE', 'HELD', 'AVAILABLE', 'AVAILABLE']);
    });
  });

  describe('extending', () => {
    const PASSED_MS = 100_000;

    it('makes a hold last as long again from now, at its frozen price', async () => {
      const { user, hold, extend, pay, statuses } = await open();
      const fan = await user(30_000);
      const before = await hold(fan, 1, 2);
      await passes(PASSED_MS);
      const { answer, replayed, remainingMs } = await extend(before);
      expect(answer).toMatchObject({
        ...{ reservationId: before.reservationId, seatNumbers: [1, 2], status: 'HELD', amount: 30_000 },
      });
      expect(replayed).toBe(false);
      expect(remainingMs).toBeGreaterThan(HOLD_MS - 5_000);
      expect(remainingMs).toBeLessThanOrEqual(HOLD_MS);
      const lastsMs = answer.heldUntil.getTime() - answer.createdAt.getTime();
      expect(lastsMs).toBeGreaterThanOrEqual(PASSED_MS + HOLD_MS);
      expect(answer.heldForSeconds).toBe(Math.ceil(lastsMs / 1_000));
      expect(await boxOffice.findReservation(fan, before.reservationId)).toEqual(answer);
      await passes(HOLD_MS - PASSED_MS / 2);
      await boxOffice.expireLapsed(PLENTY);
      expect((await statuses())?.slice(0, 2)).toEqual(['HELD', 'HELD']);
      expect((await pay(before)).answer.amount).toBe(30_000);
    });

    it('stops at the ceiling, counted from the creation of the hold', async () => {
      const { user, hold, extend, statusOf, statuses } = await open();
      const fan = await user();
      const made = await hold(fan, 1);
      await passes(HOLD_MS - 10_000);
      const { answer } = await extend(made);
      expect(answer.heldUntil.getTime() - answer.createdAt.getTime()).toBe(CEILING_SECONDS * 1_000);
      expect(answer.heldForSeconds).toBe(CEILING_SECONDS);
      await expectRefusal(extend(made), 'hold-at-ceiling');
      await passes(CEILING_SECONDS * 1_000 - HOLD_MS + 10_000);
      expect(await statusOf(made)).toBe('EXPIRED');
      expect((await statuses())?.[0]).toBe('AVAILABLE');
    });

    it('is refused if the policy allows no extension', async () => {
      const { user, hold, extend, statusOf } = await open();
      const made = await hold(await user(), 1);
      await expectRefusal(extend(made, { holdSecondsMax: 0 }), 'hold-at-ceiling');
      await expectRefusal(extend(made, { holdSecondsMax: HOLD_SECONDS }), 'hold-at-ceiling');
      expect(await statusOf(made)).toBe('HELD');
    });

    it('never makes a hold end sooner', async () => {
      const { user, hold, extend } = await open();
      const made = await hold(await user(), 1);
      const { answer } = await extend(made, { holdSeconds: 1 });
      expect(answer).toEqual(made);
    });

    it('keeps the seats from other users, and counts against the limit', async () => {
      const { user, hold, extend, orderOf } = await open();
      const fan = await user();
      const made = await hold(fan, 1, 2, 3);
      await passes(HOLD_MS / 2);
      await extend(made);
      await passes(HOLD_MS / 2);
      const outcome = await boxOffice.hold(orderOf(await user(), [1]));
      expect(outcome).toMatchObject({ outcome: 'taken', occupied: [{ by: { userId: fan } }] });
      await expectRefusal(boxOffice.hold(orderOf(fan, [4, 5])), 'seat-limit-reached', { limit: 4, held: 3 });
    });

    it('is refused for a reservation that is expired, paid or released, or of another user or concert', async () => {
      const { user, hold, pay, extend } = await open();
      const elsewhere = await open();
      const fan = await user(100_000);
      const lapsed = await hold(fan, 1);
      await passes(HOLD_MS);
      const [paid, released, held] = [await hold(fan, 2), await hold(fan, 3), await hold(fan, 4)];
      await pay(paid);
      await boxOffice.release(fan, released.reservationId);
      await expectRefusal(extend(lapsed), 'hold-expired');
      await expectRefusal(extend(paid), 'already-paid');
      await expectRefusal(extend(released), 'reservation-not-held');
      await expectRefusal(extend({ ...held, userId: await user() }), 'reservation-not-found');
      await expectRefusal(extend({ ...held, reservationId: reservationId(newId()) }), 'reservation-not-found');
      await expectRefusal(boxOffice.extend(elsewhere.extendOrderOf(held)), 'reservation-not-found');
    });

    it('is refused once another user has the seats', async () => {
      const { user, hold, extend, statuses } = await open();
      const late = await hold(await user(), 1, 2);
      await passes(HOLD_MS);
      await hold(await user(), 2);
      await expectRefusal(extend(late), 'hold-expired');
      expect((await statuses())?.slice(0, 2)).toEqual(['AVAILABLE', 'HELD']);
    });

    it('when repeated gets its first answer and extends nothing', async () => {
      const { user, hold, extendOrderOf } = await open();
      const made = await hold(await user(), 1);
      const order = extendOrderOf(made);
      await passes(1_000);
      const first = await boxOffice.extend(order);
      await passes(50_000);
      const all = await Promise.all(Array.from({ length: 5 }, () => boxOffice.extend(order)));
      for (const again of all) expect(again).toEqual({ answer: first.answer, replayed: true, remainingMs: 0 });
      const other = { ...order, request: ask(made.userId, order.request.key, 'else') };
      await expectRefusal(boxOffice.extend(other), 'idempotency-key-reused');
    });
  });

  describe('cancelling', () => {
    it('frees held seats, as releasing does', async () => {
      const { user, hold, cancel, statuses, statusOf, balanceOf } = await open();
      const fan = await user(5);
      const made = await hold(fan, 1, 2);
      const { answer, replayed } = await cancel(made);
      expect(answer).toEqual({ reservation: { ...made, status: 'CANCELLED' } });
      expect(replayed).toBe(false);
      expect(await statusOf(made)).toBe('CANCELLED');
      expect(await statuses()).toEqual(Array.from({ length: 5 }, () => 'AVAILABLE'));
      expect(await balanceOf(fan)).toBe(5);
    });

    it('frees paid seats and refunds their price', async () => {
      const { user, hold, pay, cancelOrderOf, statuses, statusOf, balanceOf } = await open();
      const fan = await user(80_000);
      const made = await hold(fan, 2, 3);
      const { answer: paid } = await pay(made);
      const order = cancelOrderOf(made);
      const { answer } = await boxOffice.cancel(order);
      expect(answer).toMatchObject({
        reservation: { ...made, status: 'CANCELLED' },
        refund: {
          ...{ refundId: order.refundId, paymentId: paid.paymentId, amount: 50_000, currency: 'KRW', balance: 80_000 },
          refundedAt: expect.any(Date),
        },
      });
      expect(await statuses()).toEqual(Array.from({ length: 5 }, () => 'AVAILABLE'));
      expect(await statusOf(made)).toBe('CANCELLED');
      expect(await balanceOf(fan)).toBe(80_000);
      const { items: entries } = await wallets.listEntries(fan, { limit: 2 });
      expect(entries).toMatchObject([
        { kind: 'REFUND', transactionId: order.refundId, amount: 50_000, balance: 80_000 },
        { kind: 'PURCHASE', transactionId: paid.paymentId, amount: -50_000, balance: 30_000 },
      ]);
    });

    it('keeps the payment on record, with the time of the refund', async () => {
      const { user, hold, pay, cancel } = await open();
      const fan = await user(100_000);
      const { answer: kept } = await pay(await hold(fan, 1));
      const made = await hold(fan, 2);
      const { answer: paid } = await pay(made);
      const refundedAt = (await cancel(made)).answer.refund?.refundedAt;
      expect(await boxOffice.findPayment(fan, paid.paymentId)).toEqual({ ...paid, refundedAt });
      expect(await boxOffice.listPayments(fan, { limit: 5 })).toEqual({ items: [{ ...paid, refundedAt }, kept] });
    });

    it('makes the seats sellable at once, independently of the first payment', async () => {
      const { user, hold, pay, cancel, statuses, statusOf, balanceOf } = await open();
      const [first, second] = [await user(10_000), await user(10_000)];
      const sold = await hold(first, 1);
      await pay(sold);
      await cancel(sold);
      const resold = await hold(second, 1);
      await pay(resold);
      await expectRefusal(cancel(sold), 'already-cancelled');
      expect(await statuses()).toEqual(['SOLD', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE']);
      expect([await statusOf(sold), await statusOf(resold)]).toEqual(['CANCELLED', 'CONFIRMED']);
      expect([await balanceOf(first), await balanceOf(second)]).toEqual([10_000, 0]);
    });

    it('stops counting the seats against the limit', async () => {
      const { user, hold, pay, cancel, orderOf } = await open();
      const fan = await user(100_000);
      const made = await hold(fan, 1, 2, 3, 4);
      await pay(made);
      await cancel(made);
      expect(granted(await boxOffice.hold(orderOf(fan, [1, 2, 3, 4]))).seatNumbers).toHaveLength(4);
    });

    it('of a paid reservation is refused from the deadline on, and if the policy has no refunds', async () => {
      const { user, hold, pay, cancel, statuses, statusOf, balanceOf } = await openBoxOffice(harness, {
        dates: [{ startsInMs: HOUR_MS, prices: [100, 100] }],
      });
      const fan = await user(200);
      const [early, late] = [await hold(fan, 1), await hold(fan, 2)];
      await pay(early);
      await pay(late);
      await expectRefusal(cancel(early, { refundUntilSeconds: -1 }), 'refund-closed');
      await expectRefusal(cancel(early, { refundUntilSeconds: HOUR_MS / 1_000 }), 'refund-closed');
      await cancel(early, { refundUntilSeconds: HOUR_MS / 1_000 - 60 });
      await passes(HOUR_MS);
      await expectRefusal(cancel(late, { refundUntilSeconds: 0 }), 'refund-closed');
      expect(await statusOf(late)).toBe('CONFIRMED');
      expect((await statuses())?.[1]).toBe('SOLD');
      expect(await balanceOf(fan)).toBe(100);
    });

    it('of a hold has no deadline but the hold’s', async () => {
      const { user, hold, cancel, statusOf } = await open();
      const made = await hold(await user(), 1);
      await cancel(made, { refundUntilSeconds: -1 });
      expect(await statusOf(made)).toBe('CANCELLED');
    });

    it('is refused for a reservation that is expired or cancelled, or of another user', async () => {
      const { user, hold, pay, cancel, balanceOf, statusOf } = await open();
      const fan = await user(100_000);
      const lapsed = await hold(fan, 1);
      await passes(HOLD_MS);
      const [released, paid] = [await hold(fan, 2), await hold(fan, 3)];
      await boxOffice.release(fan, released.reservationId);
      await pay(paid);
      await expectRefusal(cancel(lapsed), 'hold-expired');
      await expectRefusal(cancel(released), 'already-cancelled');
      await expectRefusal(cancel({ ...paid, userId: await user() }), 'reservation-not-found');
      await expectRefusal(cancel({ ...paid, reservationId: reservationId(newId()) }), 'reservation-not-found');
      expect(await statusOf(paid)).toBe('CONFIRMED');
      expect(await balanceOf(fan)).toBe(70_000);
    });

    it('refunds once, however many cancel at once: one key gets equal answers, many keys get one success', async () => {
      const { user, hold, pay, cancel, cancelOrderOf, balanceOf } = await open();
      const fan = await user(100_000);
      const [same, others] = [await hold(fan, 1), await hold(fan, 2)];
      await pay(same);
      await pay(others);
      const order = cancelOrderOf(same);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => boxOffice.cancel({ ...order, refundId: refundId(newId()) })),
      );
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => cancel(others)));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused.map(({ reason }) => reason.code)).toEqual(Array.from({ length: 19 }, () => 'already-cancelled'));
      expect(await balanceOf(fan)).toBe(100_000);
      expect((await wallets.listEntries(fan, { limit: 10 })).items).toHaveLength(5);
    });

    it('is refused when its key was used for another command', async () => {
      const { user, hold, cancel, statusOf } = await open();
      const fan = await user();
      const [one, two] = [await hold(fan, 1), await hold(fan, 2)];
      const request = ask(fan, 'cancel', 'one');
      await cancel(one, { request });
      await expectRefusal(cancel(two, { request: ask(fan, 'cancel', 'two') }), 'idempotency-key-reused');
      expect(await statusOf(two)).toBe('HELD');
    });
  });

  describe('tidying up', () => {
    // What other tests left behind is tidied first.
    beforeEach(async () => {
      await passes(2 * DAY_MS);
      await boxOffice.expireLapsed(PLENTY);
      await boxOffice.forgetAnswers(PLENTY);
    });

    it('ends expired holds, no more seats at a time than asked, and nothing else', async () => {
      const { user, hold, pay, statusOf, statuses } = await open();
      const [one, two] = [await user(10_000), await user()];
      const paid = await hold(one, 1);
      await pay(paid);
      const lapsed = [await hold(one, 2), await hold(one, 3), await hold(one, 4)];
      await passes(HOLD_MS);
      const live = await hold(two, 5);
      expect(await boxOffice.expireLapsed(2)).toBe(2);
      expect(await boxOffice.expireLapsed(2)).toBe(1);
      expect(await boxOffice.expireLapsed(2)).toBe(0);
      expect(await Promise.all(lapsed.map(statusOf))).toEqual(['EXPIRED', 'EXPIRED', 'EXPIRED']);
      expect([await statusOf(paid), await statusOf(live)]).toEqual(['CONFIRMED', 'HELD']);
      expect(await statuses()).toEqual(['SOLD', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'HELD']);
    });

    it('is not needed to end a hold: past its deadline a reservation reads EXPIRED at once', async () => {
      const { user, hold, statusOf } = await open();
      const reservation = await hold(await user(), 1);
      await passes(HOLD_MS);
      expect(await statusOf(reservation)).toBe('EXPIRED');
      const { items } = await boxOffice.listReservations(reservation.userId, { limit: 1 });
      expect(items).toMatchObject([{ status: 'EXPIRED' }]);
    });

    it('deletes answers after a day, no more at a time than asked, and none before', async () => {
      const { user, orderOf } = await open();
      const fan = await user();
      const orders = [orderOf(fan, [1]), orderOf(fan, [2]), orderOf(fan, [3])];
      for (const order of orders) await boxOffice.hold(order);
      await passes(DAY_MS - HOUR_MS);
      expect(await boxOffice.forgetAnswers(PLENTY)).toBe(0);
      await passes(2 * HOUR_MS);
      const fresh = orderOf(fan, [4]);
      await boxOffice.hold(fresh);
      expect(await boxOffice.forgetAnswers(2)).toBe(2);
      expect(await boxOffice.forgetAnswers(2)).toBe(1);
      expect(await boxOffice.forgetAnswers(2)).toBe(0);
      expect(await Promise.all(orders.map(({ request }) => boxOffice.knows(request)))).toEqual([false, false, false]);
      expect(await boxOffice.knows(fresh.request)).toBe(true);
    });
  });

  describe('outbox messages', () => {
    /** All that is due, by reservation. */
    async function taken(...holds: readonly Pick<Hold, 'reservationId'>[]): Promise<OutboxMessage[]> {
      const ids = new Set(holds.map(({ reservationId }) => reservationId));
      const due = await boxOffice.takeOutboxMessages(PLENTY);
      return due.filter(({ hold }) => ids.has(hold.reservationId));
    }
    beforeEach(async () => {
      await passes(OUTBOX_DUE_MS + OUTBOX_LEASE_MS);
      await boxOffice.ackOutboxMessages(await boxOffice.takeOutboxMessages(PLENTY));
    });

    it('tell of a hold: the entry whose session it extends, and the remaining time', async () => {
      const { concert, date, user, hold, placeOf } = await open();
      const fan = await user();
      const { reservationId } = await hold(fan, 1, 2);
      await passes(OUTBOX_DUE_MS);
      const [message, ...more] = await taken({ reservationId });
      expect(more).toEqual([]);
      expect(message).toMatchObject({
        hold: { userId: fan, concertId: concert.concertId, date, seatNumbers: [1, 2], reservationId },
        entry: placeOf(fan),
        status: 'HELD',
      });
      expect(message?.remainingMs).toBeGreaterThan(HOLD_MS - OUTBOX_DUE_MS - 5_000);
      expect(message?.remainingMs).toBeLessThanOrEqual(HOLD_MS - OUTBOX_DUE_MS);
    });

    it('tell of a payment the entry whose session it ends, and of a release none', async () => {
      const { user, hold, pay, placeOf } = await open();
      const fan = await user(10_000);
      const [paid, released] = [await hold(fan, 1), await hold(fan, 2)];
      await passes(OUTBOX_DUE_MS);
      await boxOffice.ackOutboxMessages(await taken(paid, released));
      await pay(paid);
      await boxOffice.release(fan, released.reservationId);
      await passes(OUTBOX_DUE_MS);
      const [confirmed, cancelled] = await taken(paid, released);
      expect(confirmed).toMatchObject({ status: 'CONFIRMED', paid: true, entry: placeOf(fan), remainingMs: 0 });
      expect(cancelled).toMatchObject({ status: 'CANCELLED', paid: false, remainingMs: 0 });
      expect(cancelled).not.toHaveProperty('place');
    });

    it('tell of an extension the entry whose session it extends', async () => {
      const { user, hold, extend, placeOf } = await open();
      const made = await hold(await user(), 1);
      await passes(OUTBOX_DUE_MS);
      await boxOffice.ackOutboxMessages(await taken(made));
      await extend(made);
      await passes(OUTBOX_DUE_MS);
      const [message, ...more] = await taken(made);
      expect(more).toEqual([]);
      expect(message).toMatchObject({ status: 'HELD', paid: false, entry: placeOf(made.userId) });
      expect(message?.remainingMs).toBeGreaterThan(HOLD_MS - OUTBOX_DUE_MS - 5_000);
    });

    it('tell of a refund that it was paid, so that the session of the payment still ends', async () => {
      const { user, hold, pay, cancel, placeOf } = await open();
      const made = await hold(await user(10_000), 1);
      await passes(OUTBOX_DUE_MS);
      await boxOffice.ackOutboxMessages(await taken(made));
      await pay(made);
      await cancel(made);
      await passes(OUTBOX_DUE_MS);
      const [paid, refunded] = await taken(made);
      expect(paid).toMatchObject({ status: 'CANCELLED', paid: true, entry: placeOf(made.userId), remainingMs: 0 });
      expect(refunded).toMatchObject({ status: 'CANCELLED', paid: true, remainingMs: 0 });
      expect(refunded).not.toHaveProperty('place');
    });

    it('tell the present state, not the state when they were written', async () => {
      const { user, hold, pay } = await open();
      const paid = await hold(await user(10_000), 1);
      await pay(paid);
      const lapsed = await hold(await user(), 2);
      await passes(HOLD_MS);
      const all = await taken(paid, lapsed);
      expect(all.filter(({ hold }) => hold.reservationId === paid.reservationId)).toMatchObject([
        { status: 'CONFIRMED', remainingMs: 0 },
        { status: 'CONFIRMED', remainingMs: 0 },
      ]);
      expect(all.filter(({ hold }) => hold.reservationId === lapsed.reservationId)).toMatchObject([{ remainingMs: 0 }]);
    });

    it('go to one relay at a time, and come again until they are acknowledged', async () => {
      const { user, hold } = await open();
      const reservation = await hold(await user(), 1);
      await passes(OUTBOX_DUE_MS);
      const takers = await Promise.all(Array.from({ length: 5 }, () => taken(reservation)));
      const [first, ...others] = takers.flat();
      expect(others).toEqual([]);
      expect(await taken(reservation)).toEqual([]);
      await passes(OUTBOX_LEASE_MS);
      const [again] = await taken(reservation);
      expect(again?.messageId).toBe(first?.messageId);
      await boxOffice.ackOutboxMessages(again === undefined ? [] : [again]);
      await passes(OUTBOX_LEASE_MS);
      expect(await taken(reservation)).toEqual([]);
    });

    it('come again if the reservation has changed since they were taken, as Redis may have the older state', async () => {
      const { user, hold, extend } = await open();
      const fan = await user();
      const [released, extended] = [await hold(fan, 1), await hold(fan, 2)];
      await passes(OUTBOX_DUE_MS);
      const before = await taken(released, extended);
      await boxOffice.release(fan, released.reservationId);
      await extend(extended);
      await boxOffice.ackOutboxMessages(before);
      await passes(OUTBOX_LEASE_MS);
      const again = await taken(released, extended);
      for (const { messageId } of before) expect(again.map((message) => message.messageId)).toContain(messageId);
      await boxOffice.ackOutboxMessages(again);
      await passes(OUTBOX_LEASE_MS);
      expect(await taken(released, extended)).toEqual([]);
    });

    it('come again soon if they could not be relayed, and not before', async () => {
      const { user, hold } = await open();
      const reservation = await hold(await user(), 1);
      await passes(OUTBOX_DUE_MS);
      const [first] = await taken(reservation);
      await boxOffice.retryOutboxMessages([first?.messageId ?? '']);
      expect(await taken(reservation)).toEqual([]);
      await passes(OUTBOX_DUE_MS);
      expect(await taken(reservation)).toMatchObject([{ messageId: first?.messageId }]);
    });

    it('come no more at a time than asked', async () => {
      const { user, hold } = await open();
      const fan = await user();
      for (const seatNumber of [1, 2, 3]) await hold(fan, seatNumber);
      await passes(OUTBOX_DUE_MS);
      expect(await boxOffice.takeOutboxMessages(2)).toHaveLength(2);
      expect(await boxOffice.takeOutboxMessages(2)).toHaveLength(1);
    });

    it('are not written by a refused command', async () => {
      const { user, hold, pay, orderOf } = await open();
      const theirs = await hold(await user(), 1);
      const order = orderOf(await user(), [1, 2]);
      await boxOffice.hold(order);
      await expectRefusal(pay(theirs), 'insufficient-balance');
      await passes(OUTBOX_DUE_MS);
      expect(await taken(order)).toEqual([]);
      expect(await taken(theirs)).toEqual([]);
    });
  });

  describe('reservations and payments', () => {
    it('are shown to no other user', async () => {
      const { user, hold, payOrderOf } = await open();
      const [fan, stranger] = [await user(10_000), await user()];
      const reservation = await hold(fan, 1);
      const order = payOrderOf(reservation);
      await boxOffice.pay(order);
      expect(await boxOffice.findReservation(stranger, reservation.reservationId)).toBeUndefined();
      expect(await boxOffice.findPayment(stranger, order.paymentId)).toBeUndefined();
      expect(await boxOffice.listReservations(stranger, { limit: 5 })).toEqual({ items: [] });
      expect(await boxOffice.listPayments(stranger, { limit: 5 })).toEqual({ items: [] });
    });

    it('are listed newest first, in pages, without gaps and repetitions', async () => {
      const { user, hold, pay } = await open();
      const fan = await user(100_000);
      for (const seatNumber of [1, 2, 3]) await pay(await hold(fan, seatNumber));
      const reservations = await allPages((page) => boxOffice.listReservations(fan, page), 2);
      expect(reservations.map((items) => items.map(({ seatNumbers }) => seatNumbers))).toEqual([[[3], [2]], [[1]]]);
      const payments = await allPages((page) => boxOffice.listPayments(fan, page), 2);
      expect(payments.map((items) => items.map(({ amount }) => amount))).toEqual([[30_000, 20_000], [10_000]]);
      expect((await wallets.find(fan))?.balance).toBe(40_000);
    });
  });
}
