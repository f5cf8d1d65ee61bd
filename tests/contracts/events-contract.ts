import { beforeEach, describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { expectRefusal } from './expect-refusal.ts';
import { relayAll } from './relay-all.ts';
import { ask, HOLD_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** Nobody relays for longer without having settled. */
const TERM_MS = 60_000;
const DAY_SECONDS = 86_400;

/** What `Events` promises, and what every command of the box office writes there. */
export function eventsContract(harness: StoreHarness): void {
  const { events, boxOffice, queueRecords, passes } = harness;
  const summary = (told: readonly PublicEvent[]) => told.map(({ type }) => type);

  /** Tests before this one have left some. */
  beforeEach(async () => {
    await passes(TERM_MS);
    await relayAll(events);
  });

  /** All there is to be told of a reservation. */
  async function storyOf({ reservationId }: Reservation): Promise<PublicEvent[]> {
    const told = await relayAll(events);
    return told.filter(({ aggregateId }) => aggregateId === reservationId);
  }

  const whole = ({ reservationId, userId, concertId, date, seatNumbers, amount, currency }: Reservation) => ({
    ...{ reservationId, userId, concertId, date, seatNumbers, amount, currency },
  });

  describe('an event', () => {
    it('is written for a hold: user, seats, amount and deadline', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const held = await hold(await user(), 1, 2);
      const { heldUntil, createdAt } = held;
      expect(await storyOf(held)).toEqual([
        {
          eventId: expect.stringMatching(/^\d+$/),
          type: 'reservation.held',
          aggregateId: held.reservationId,
          aggregateSequence: 1,
          at: createdAt,
          data: { ...whole(held), heldUntil: heldUntil.toISOString() },
        },
      ]);
    });

    it('is written for the best seats as for any', async () => {
      const { user, orderOf } = await openBoxOffice(harness);
      const { seatNumbers: _, ...order } = orderOf(await user(), []);
      const { answer } = await boxOffice.holdBest({ ...order, wish: { quantity: 2 } });
      expect(summary(await storyOf(answer))).toEqual(['reservation.held']);
    });

    it('is written for an extension, with the new deadline', async () => {
      const { user, hold, extend } = await openBoxOffice(harness);
      const held = await hold(await user(), 1);
      await passes(HOLD_MS / 2);
      const { answer } = await extend(held);
      const [, extended, ...rest] = await storyOf(held);
      expect(extended).toMatchObject({
        type: 'reservation.extended',
        data: { ...whole(held), heldUntil: answer.heldUntil.toISOString() },
      });
      expect(rest).toEqual([]);
    });

    it('is written once for a hold that expired, with its deadline', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const held = await hold(await user(), 1, 2);
      await passes(HOLD_MS);
      while ((await boxOffice.expireLapsed(1)) > 0);
      const [, expired, ...rest] = await storyOf(held);
      expect(expired).toMatchObject({ type: 'reservation.expired', data: whole(held) });
      expect(expired?.data).not.toHaveProperty('heldUntil');
      expect(rest).toEqual([]);
    });

    it('is written for a hold that ends because another user takes the seat', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const lapsed = await hold(await user(), 1);
      await passes(HOLD_MS);
      const held = await hold(await user(), 1);
      const told = await relayAll(events);
      const of = ({ reservationId }: Reservation) => told.filter(({ aggregateId }) => aggregateId === reservationId);
      expect(summary(of(lapsed))).toEqual(['reservation.held', 'reservation.expired']);
      expect(summary(of(held))).toEqual(['reservation.held']);
    });

    it('is written once for a released hold, however often it is released', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const held = await hold(await user(), 1);
      await boxOffice.release(held.userId, held.reservationId);
      await boxOffice.release(held.userId, held.reservationId);
      expect(summary(await storyOf(held))).toEqual(['reservation.held', 'reservation.cancelled']);
    });

    it('is written for payment, refund and end, in this order', async () => {
      const { user, hold, pay, cancel } = await openBoxOffice(harness);
      const held = await hold(await user(100_000), 1, 2);
      const { answer: payment } = await pay(held);
      const { answer } = await cancel(held);
      const [, captured, refunded, cancelled, ...rest] = await storyOf(held);
      const { paymentId } = payment;
      expect(captured).toMatchObject({ type: 'payment.captured', at: payment.paidAt });
      expect(captured?.data).toEqual({ ...whole(held), paymentId });
      expect(refunded).toMatchObject({ type: 'payment.refunded', at: answer.refund?.refundedAt });
      expect(refunded?.data).toEqual({ ...whole(held), paymentId, refundId: answer.refund?.refundId });
      expect(cancelled).toMatchObject({ type: 'reservation.cancelled', data: whole(held) });
      expect(rest).toEqual([]);
    });

    it('has the number that it is of its reservation, however that goes', async () => {
      const { user, hold, pay, extend, cancel } = await openBoxOffice(harness);
      const [paid, released, lapsed] = [
        await hold(await user(100_000), 1),
        await hold(await user(), 2),
        await hold(await user(), 3),
      ];
      await passes(HOLD_MS / 4);
      for (const held of [paid, released, lapsed]) await extend(held);
      await pay(paid);
      await cancel(paid);
      await boxOffice.release(released.userId, released.reservationId);
      await passes(2 * HOLD_MS);
      while ((await boxOffice.expireLapsed(1)) > 0);
      const told = await relayAll(events);
      const numbersOf = ({ reservationId }: Reservation) =>
        told.flatMap((event) => (event.aggregateId === reservationId ? [event.aggregateSequence] : []));
      expect(numbersOf(paid)).toEqual([1, 2, 3, 4, 5]);
      expect(numbersOf(released)).toEqual([1, 2, 3]);
      expect(numbersOf(lapsed)).toEqual([1, 2, 3]);
    });

    it('is not written for a refused command', async () => {
      const { user, hold, pay, orderOf } = await openBoxOffice(harness);
      const poor = await hold(await user(1), 1);
      await expectRefusal(pay(poor), 'insufficient-balance');
      const rival = await user();
      await boxOffice.hold(orderOf(rival, [1, 2]));
      await expectRefusal(hold(rival, 99), 'seat-not-found');
      expect(summary(await relayAll(events))).toEqual(['reservation.held']);
    });

    it('is written once for a repeated command', async () => {
      const { user, hold, pay } = await openBoxOffice(harness);
      const held = await hold(await user(10_000), 1);
      const request = ask(held.userId);
      await pay(held, request);
      await pay(held, request);
      expect(summary(await storyOf(held))).toEqual(['reservation.held', 'payment.captured']);
    });
  });

  describe('the event of an admission', () => {
    const entry = (eventId: string, kind: QueueEvent['kind'], sequence: number): QueueEvent => ({
      ...{ eventId, kind, sequence },
      order: sequence,
      joinedAt: undefined,
      at: new Date(Date.UTC(2027, 0, 1)),
    });

    it('names all entries recorded together, in the order of admission, and no others', async () => {
      const { concertId } = await harness.stage();
      await queueRecords.open(concertId);
      const entries = [entry('5-0-0', 'admitted', 3), entry('5-0-1', 'admitted', 1), entry('5-1-0', 'left', 2)];
      await queueRecords.record(concertId, entries);
      expect(await relayAll(events)).toMatchObject([
        { type: 'queue.admitted', aggregateId: concertId, at: entries[0]?.at, data: { concertId, sequences: [3, 1] } },
      ]);
    });

    it('is written once, though recorded twice, and only for admissions', async () => {
      const { concertId } = await harness.stage();
      await queueRecords.open(concertId);
      await queueRecords.record(concertId, [entry('5-0-0', 'admitted', 1)]);
      await queueRecords.record(concertId, [entry('5-0-0', 'admitted', 1), entry('6-0-0', 'admitted', 2)]);
      await queueRecords.record(concertId, [entry('7-0-0', 'left', 4)]);
      const told = await relayAll(events);
      expect(told).toMatchObject([
        { aggregateSequence: 1, data: { concertId, sequences: [1] } },
        { aggregateSequence: 2, data: { concertId, sequences: [2] } },
      ]);
    });
  });

  describe('relaying', () => {
    async function held() {
      const { user, hold } = await openBoxOffice(harness);
      return hold(await user(), 1);
    }

    it('is done by one at a time', async () => {
      await held();
      const batch = await events.take(10);
      expect(batch?.events).toHaveLength(1);
      expect(await events.take(10)).toBeUndefined();
    });

    it('continues where it was: acknowledged events do not come again, those over the limit do', async () => {
      const [first, second] = [await held(), await held()];
      const told: string[] = [];
      for (let batch = await events.take(1); batch !== undefined; batch = await events.take(1)) {
        expect(batch.events).toHaveLength(1);
        await events.ack(batch);
        told.push(...batch.events.map(({ aggregateId }) => aggregateId));
      }
      expect(told).toEqual([first.reservationId, second.reservationId]);
    });

    it('is taken over from a dead relay under a larger fencing token, and the older token is refused', async () => {
      await held();
      const frozen = await events.take(10);
      await passes(TERM_MS);
      const later = await events.take(10);
      if (frozen === undefined || later === undefined) throw new RangeError('nothing was taken');
      expect(later.events).toEqual(frozen.events);
      expect(later.fencingToken).toBeGreaterThan(frozen.fencingToken);
      expect(await events.ack(frozen)).toBe(false);
      expect(await events.ack(later)).toBe(true);
      expect(await events.ack(frozen)).toBe(false);
      expect(await events.take(10)).toBeUndefined();
    });

    it('that failed leaves the whole batch to the next relay, at once', async () => {
      await held();
      const first = await events.take(10);
      if (first === undefined) throw new RangeError('nothing was taken');
      expect(await events.release(first)).toBe(true);
      const second = await events.take(10);
      expect(second?.events).toEqual(first.events);
      expect(await events.release(first)).toBe(false);
      expect(await events.take(10)).toBeUndefined();
    });

    it('without acknowledgement is repeated in smaller batches, until one is acknowledged', async () => {
      for (let made = 0; made < 4; made++) await held();
      const sizes: (number | undefined)[] = [];
      for (let terms = 0; terms < 4; terms++) {
        await passes(TERM_MS);
        sizes.push((await events.take(10))?.events.length);
      }
      expect(sizes).toEqual([4, 2, 1, 1]);
      await passes(TERM_MS);
      const batch = await events.take(10);
      if (batch === undefined) throw new RangeError('nothing was taken');
      await events.ack(batch);
      expect((await events.take(10))?.events).toHaveLength(3);
    });

    it('has larger ids for later events of the same reservation', async () => {
      const { user, hold, pay } = await openBoxOffice(harness);
      const one = await hold(await user(10_000), 1);
      const other = await hold(await user(20_000), 2);
      await pay(other);
      await pay(one);
      const told = await relayAll(events);
      for (const { reservationId } of [one, other]) {
        const ids = told
          .filter(({ aggregateId }) => aggregateId === reservationId)
          .map(({ eventId }) => Number(eventId));
        expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        expect(ids).toHaveLength(2);
      }
    });
  });

  describe('deleting old events', () => {
    it('keeps recently relayed events, and unrelayed ones of any age', async () => {
      const { user, hold } = await openBoxOffice(harness);
      await hold(await user(), 1);
      await passes(2 * DAY_SECONDS * 1_000);
      const [waiting] = (await events.take(10))?.events ?? [];
      await passes(TERM_MS);
      while ((await events.forget(DAY_SECONDS, 100)) > 0);
      expect((await events.take(10))?.events).toEqual([waiting]);
      await passes(TERM_MS);
      await relayAll(events);
      expect(await events.forget(DAY_SECONDS, 100)).toBe(0);
      await passes(2 * DAY_SECONDS * 1_000);
      expect(await events.forget(DAY_SECONDS, 100)).toBe(1);
      expect(await events.forget(DAY_SECONDS, 100)).toBe(0);
    });

    it('deletes at most a batch at once', async () => {
      const { user, hold } = await openBoxOffice(harness);
      for (const seat of [1, 2, 3]) await hold(await user(), seat);
      await relayAll(events);
      await passes(2 * DAY_SECONDS * 1_000);
      while ((await events.forget(DAY_SECONDS, 2)) === 2);
      expect(await events.forget(DAY_SECONDS, 100)).toBe(0);
    });
  });
}
