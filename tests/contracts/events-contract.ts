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
    it('is told of a hold: who, what, for how much, until when', async () => {
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

    it('is told of the best seats as of any', async () => {
      const { user, orderOf } = await openBoxOffice(harness);
      const { seatNumbers: _, ...order } = orderOf(await user(), []);
      const { answer } = await boxOffice.holdBest({ ...order, wish: { quantity: 2 } });
      expect(summary(await storyOf(answer))).toEqual(['reservation.held']);
    });

    it('is told of an extension, with the new end', async () => {
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

    it('is told of a hold that was tidied away, once, and when it ran out', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const held = await hold(await user(), 1, 2);
      await passes(HOLD_MS);
      while ((await boxOffice.expireLapsed(1)) > 0);
      const [, expired, ...rest] = await storyOf(held);
      expect(expired).toMatchObject({ type: 'reservation.expired', data: whole(held) });
      expect(expired?.data).not.toHaveProperty('heldUntil');
      expect(rest).toEqual([]);
    });

    it('is told of a hold that ends because somebody else takes the seat', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const lapsed = await hold(await user(), 1);
      await passes(HOLD_MS);
      const held = await hold(await user(), 1);
      const told = await relayAll(events);
      const of = ({ reservationId }: Reservation) => told.filter(({ aggregateId }) => aggregateId === reservationId);
      expect(summary(of(lapsed))).toEqual(['reservation.held', 'reservation.expired']);
      expect(summary(of(held))).toEqual(['reservation.held']);
    });

    it('is told of a hold that was given back, once, however often it is', async () => {
      const { user, hold } = await openBoxOffice(harness);
      const held = await hold(await user(), 1);
      await boxOffice.release(held.userId, held.reservationId);
      await boxOffice.release(held.userId, held.reservationId);
      expect(summary(await storyOf(held))).toEqual(['reservation.held', 'reservation.cancelled']);
    });

    it('is told of payment, refund and end, in the order of the story', async () => {
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

    it('is not told of what was refused', async () => {
      const { user, hold, pay, orderOf } = await openBoxOffice(harness);
      const poor = await hold(await user(1), 1);
      await expectRefusal(pay(poor), 'insufficient-balance');
      const rival = await user();
      await boxOffice.hold(orderOf(rival, [1, 2]));
      await expectRefusal(hold(rival, 99), 'seat-not-found');
      expect(summary(await relayAll(events))).toEqual(['reservation.held']);
    });

    it('is told once of a command that is repeated', async () => {
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

    it('names all who are put on record together, in the order in which they were let in, and nobody else', async () => {
      const { concertId } = await harness.stage();
      await queueRecords.open(concertId);
      const entries = [entry('5-0-0', 'admitted', 3), entry('5-0-1', 'admitted', 1), entry('5-1-0', 'left', 2)];
      await queueRecords.record(concertId, entries);
      expect(await relayAll(events)).toMatchObject([
        { type: 'queue.admitted', aggregateId: concertId, at: entries[0]?.at, data: { concertId, sequences: [3, 1] } },
      ]);
    });

    it('is told once, though the record is made twice, and not of those who were not let in', async () => {
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

    it('goes on where it was: what is settled does not come again, what is over the limit does', async () => {
      const [first, second] = [await held(), await held()];
      const told: string[] = [];
      for (let batch = await events.take(1); batch !== undefined; batch = await events.take(1)) {
        expect(batch.events).toHaveLength(1);
        await events.ack(batch);
        told.push(...batch.events.map(({ aggregateId }) => aggregateId));
      }
      expect(told).toEqual([first.reservationId, second.reservationId]);
    });

    it('is taken over from somebody who does not come back, in a larger term, and the older one has no say any more', async () => {
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

    it('that came to nothing leaves all of it to the next one, at once', async () => {
      await held();
      const first = await events.take(10);
      if (first === undefined) throw new RangeError('nothing was taken');
      expect(await events.release(first)).toBe(true);
      const second = await events.take(10);
      expect(second?.events).toEqual(first.events);
      expect(await events.release(first)).toBe(false);
      expect(await events.take(10)).toBeUndefined();
    });

    it('that was not settled comes again in smaller portions, until one was', async () => {
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

    it('has larger ids for what happened later to the same reservation', async () => {
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

  describe('forgetting', () => {
    it('leaves what was relayed lately, and what was not relayed, however old', async () => {
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

    it('takes no more than a batch at once', async () => {
      const { user, hold } = await openBoxOffice(harness);
      for (const seat of [1, 2, 3]) await hold(await user(), seat);
      await relayAll(events);
      await passes(2 * DAY_SECONDS * 1_000);
      while ((await events.forget(DAY_SECONDS, 2)) === 2);
      expect(await events.forget(DAY_SECONDS, 100)).toBe(0);
    });
  });
}
