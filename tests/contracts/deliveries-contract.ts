import { v7 as newId } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import type { OfferedEventType } from '#domain/events/public-event.ts';
import type { AttemptOutcome, Receipt } from '#domain/events/webhook.ts';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import type { DueDelivery } from '#ports/events/deliveries.ts';
import { expectRefusal } from './expect-refusal.ts';
import { relayAll } from './relay-all.ts';
import { allPages, openBoxOffice, type StoreHarness } from './store-harness.ts';

const MANY = 1_000;
/** Nobody attempts a delivery for longer without having settled it. */
const LEASE_MS = 120_000;
const MINUTE_MS = 60_000;

const OK: Receipt = { durationMs: 12, status: 204 };
const BROKEN: Receipt = { durationMs: 34, status: 500 };
const SILENT: Receipt = { durationMs: 56, failure: 'no answer' };
const DELIVERED: AttemptOutcome = { state: 'DELIVERED' };
const GIVEN_UP: AttemptOutcome = { state: 'FAILED', endpointGone: false };
const AGAIN: AttemptOutcome = { state: 'PENDING', retryInMs: MINUTE_MS };

/** What `Deliveries` promises. */
export function deliveriesContract(harness: StoreHarness): void {
  const { deliveries, webhooks, events, boxOffice, passes } = harness;
  const made: EndpointId[] = [];

  beforeEach(async () => {
    await passes(LEASE_MS);
    await relayAll(events);
  });
  /** What one test makes happen is not for the endpoints of another. */
  afterEach(async () => {
    for (const id of made.splice(0)) await webhooks.remove(id);
  });

  async function endpoint(eventTypes: readonly OfferedEventType[] = []): Promise<EndpointId> {
    const id = endpointId(newId());
    await webhooks.create({ endpointId: id, url: 'https://example.com/hook', eventTypes }, MANY);
    made.push(id);
    return id;
  }

  /** A reservation of which there are two events, one after the other. */
  async function heldAndReleased(): Promise<Reservation> {
    const { user, hold } = await openBoxOffice(harness);
    const held = await hold(await user(), 1);
    await boxOffice.release(held.userId, held.reservationId);
    return held;
  }
  async function held(): Promise<Reservation> {
    const { user, hold } = await openBoxOffice(harness);
    return hold(await user(), 1);
  }
  const typesOf = (deliveriesDue: readonly DueDelivery[]) => deliveriesDue.map(({ event }) => event.type);
  const take = (id: EndpointId) => deliveries.take(id, 10);

  /** The one that is due. */
  async function taken(id: EndpointId): Promise<DueDelivery> {
    const [delivery, ...more] = await take(id);
    if (delivery === undefined || more.length > 0) throw new RangeError('not one, but none or several');
    return delivery;
  }
  const find = async (id: EndpointId, { deliveryId }: { deliveryId: string }) => {
    const found = await deliveries.find(id, deliveryId);
    if (found === undefined) throw new RangeError('it is gone');
    return found;
  };

  describe('what is relayed', () => {
    it('is due at every endpoint that wants it, and at no other', async () => {
      const [all, some, others] = [
        await endpoint(),
        await endpoint(['reservation.held']),
        await endpoint(['payment.captured']),
      ];
      const { reservationId } = await held();
      expect(await deliveries.listDue()).toEqual([]);
      await relayAll(events);
      const due = await deliveries.listDue();
      expect(due.toSorted()).toEqual([all, some].toSorted());
      expect(await take(others)).toEqual([]);
      const delivery = await taken(some);
      expect(delivery).toMatchObject({ attempt: 1, tries: 1, url: 'https://example.com/hook' });
      expect(delivery.event).toMatchObject({ type: 'reservation.held', data: { reservationId } });
      expect(delivery.secrets).toHaveLength(1);
      expect(delivery.takenAt).toBeInstanceOf(Date);
    });

    it('is not for an endpoint that is made, or switched on, afterwards, nor for one that was removed', async () => {
      const [off, gone] = [await endpoint(), await endpoint()];
      await webhooks.change(off, { enabled: false });
      await webhooks.remove(gone);
      await held();
      await relayAll(events);
      await webhooks.change(off, { enabled: true });
      const late = await endpoint();
      expect(await deliveries.listDue()).toEqual([]);
      for (const id of [off, gone, late]) expect(await take(id)).toEqual([]);
    });

    it('waits while its endpoint is switched off, and goes on afterwards', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      await webhooks.change(id, { enabled: false });
      expect(await deliveries.listDue()).toEqual([]);
      expect(await take(id)).toEqual([]);
      await webhooks.change(id, { enabled: true });
      expect(await take(id)).toHaveLength(1);
    });
  });

  describe('a delivery', () => {
    it('is attempted by one, and comes free if that one does not come back', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const [one, other] = await Promise.all([take(id), take(id)]);
      expect(one.length + other.length).toBe(1);
      expect(await deliveries.listDue()).toEqual([]);
      await passes(LEASE_MS);
      // That somebody died of it says nothing of the receiver.
      expect(await taken(id)).toMatchObject({ attempt: 2, tries: 1 });
    });

    it('that was broken off by us is given back: due at once, and no try of the receiver', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const first = await taken(id);
      await deliveries.release(first);
      expect(await deliveries.listDue()).toEqual([id]);
      const second = await taken(id);
      expect(second).toMatchObject({ attempt: 2, tries: 1 });
      await deliveries.release(first);
      expect(await deliveries.listDue()).toEqual([]);
      await deliveries.recordAttempt(second, OK, DELIVERED);
      await deliveries.release(second);
      expect((await find(id, second)).delivery.state).toBe('DELIVERED');
      expect(await take(id)).toEqual([]);
    });

    it('ignores an overtaken attempt, which is recorded without a consequence', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const frozen = await taken(id);
      await passes(LEASE_MS);
      const current = await taken(id);
      await deliveries.recordAttempt(frozen, BROKEN, GIVEN_UP);
      expect((await find(id, frozen)).delivery).toMatchObject({ state: 'PENDING', attempts: 2 });
      await deliveries.recordAttempt(current, OK, DELIVERED);
      const { delivery, attemptLog } = await find(id, frozen);
      expect(delivery).toMatchObject({ state: 'DELIVERED', attempts: 2 });
      expect(attemptLog).toMatchObject([
        { attempt: 1, status: 500, durationMs: 34 },
        { attempt: 2, status: 204, durationMs: 12 },
      ]);
    });

    it('comes again after the pause, and not before', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const first = await taken(id);
      await deliveries.recordAttempt(first, SILENT, AGAIN);
      await passes(MINUTE_MS / 2);
      expect(await take(id)).toEqual([]);
      await passes(MINUTE_MS / 2);
      const second = await taken(id);
      expect(second).toMatchObject({ deliveryId: first.deliveryId, attempt: 2, tries: 2, event: first.event });
      expect((await find(id, first)).attemptLog).toMatchObject([{ attempt: 1, failure: 'no answer', durationMs: 56 }]);
    });

    it('that is over does not come again', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      await deliveries.recordAttempt(await taken(id), OK, DELIVERED);
      await passes(LEASE_MS);
      expect(await take(id)).toEqual([]);
    });

    it('is signed with both secrets while they are changed', async () => {
      const id = endpointId(newId());
      const url = 'https://example.com/hook';
      const { secret } = await webhooks.create({ endpointId: id, url, eventTypes: [] }, MANY);
      made.push(id);
      const rotated = await webhooks.rotate(id, LEASE_MS / 1_000 + 60);
      await held();
      await relayAll(events);
      expect((await taken(id)).secrets).toEqual([rotated?.secret, secret]);
      await passes(LEASE_MS);
      expect((await taken(id)).secrets).toEqual([rotated?.secret, secret]);
      await passes(LEASE_MS);
      expect((await taken(id)).secrets).toEqual([rotated?.secret]);
    });
  });

  describe('events of one aggregate', () => {
    it('are due at once, the oldest first, each with its number', async () => {
      const id = await endpoint();
      const { reservationId } = await heldAndReleased();
      await relayAll(events);
      const due = await take(id);
      expect(due.map(({ event }) => event)).toMatchObject([
        { type: 'reservation.held', aggregateId: reservationId, aggregateSequence: 1 },
        { type: 'reservation.cancelled', aggregateId: reservationId, aggregateSequence: 2 },
      ]);
    });

    it('do not wait for one that the endpoint cannot take', async () => {
      const id = await endpoint();
      const { user, hold } = await openBoxOffice(harness);
      const { userId, reservationId } = await hold(await user(), 1);
      await relayAll(events);
      const first = await taken(id);
      await deliveries.recordAttempt(first, BROKEN, AGAIN);
      await boxOffice.release(userId, reservationId);
      await relayAll(events);
      const second = await taken(id);
      expect(typesOf([second])).toEqual(['reservation.cancelled']);
      await deliveries.recordAttempt(second, OK, DELIVERED);
      await passes(MINUTE_MS);
      expect(await taken(id)).toMatchObject({ deliveryId: first.deliveryId, attempt: 2 });
    });
  });

  describe('an endpoint that is gone', () => {
    it('is switched off, and goes on with what is pending once it is switched on', async () => {
      const id = await endpoint();
      await heldAndReleased();
      await held();
      await relayAll(events);
      const [first, second] = await deliveries.take(id, 2);
      if (first === undefined || second === undefined) throw new RangeError('nothing is due');
      await deliveries.recordAttempt(first, { durationMs: 1, status: 410 }, { state: 'FAILED', endpointGone: true });
      await deliveries.recordAttempt(second, OK, DELIVERED);
      expect(await webhooks.find(id)).toMatchObject({ enabled: false, disabledReason: 'gone' });
      expect(await take(id)).toEqual([]);
      expect((await find(id, second)).delivery.state).toBe('DELIVERED');
      await webhooks.change(id, { enabled: true });
      expect(typesOf(await take(id))).toEqual(['reservation.held']);
    });

    it('says nothing of where the endpoint is by now: there it is tried at once, as often as before', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const atOldUrl = await taken(id);
      await webhooks.change(id, { url: 'https://example.com/moved' });
      await deliveries.recordAttempt(atOldUrl, { durationMs: 1, status: 410 }, { state: 'FAILED', endpointGone: true });
      expect(await webhooks.find(id)).toMatchObject({ enabled: true, url: 'https://example.com/moved' });
      const atNewUrl = await taken(id);
      expect(atNewUrl).toMatchObject({ deliveryId: atOldUrl.deliveryId, url: 'https://example.com/moved', tries: 1 });
      expect((await find(id, atOldUrl)).attemptLog).toMatchObject([{ attempt: 1, status: 410 }]);
      await deliveries.recordAttempt(atNewUrl, { durationMs: 1, status: 410 }, { state: 'FAILED', endpointGone: true });
      expect(await webhooks.find(id)).toMatchObject({ enabled: false, disabledReason: 'gone' });
    });
  });

  describe('a replay', () => {
    it.each([
      ['arrived', OK, DELIVERED],
      ['was given up', BROKEN, GIVEN_UP],
    ] as const)('sends again what %s, as if for the first time', async (_, receipt, verdict) => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const first = await taken(id);
      await deliveries.recordAttempt(first, receipt, verdict);
      const replayed = await deliveries.replay(id, first.deliveryId);
      expect(replayed).toMatchObject({ deliveryId: first.deliveryId, state: 'PENDING', attempts: 1 });
      expect(replayed).not.toHaveProperty('endedAt');
      expect(await taken(id)).toMatchObject({ attempt: 2, tries: 1, event: first.event });
    });

    it('is refused while the delivery is under way, and where there is none', async () => {
      const [id, other] = [await endpoint(['reservation.held']), await endpoint(['payment.captured'])];
      await held();
      await relayAll(events);
      const { deliveryId } = await taken(id);
      await expectRefusal(deliveries.replay(id, deliveryId), 'delivery-pending');
      await expectRefusal(deliveries.replay(other, deliveryId), 'delivery-not-found');
      await expectRefusal(deliveries.replay(id, '999999999'), 'delivery-not-found');
      expect(await deliveries.find(other, deliveryId)).toBeUndefined();
      await webhooks.remove(id);
      await expectRefusal(deliveries.replay(id, deliveryId), 'delivery-not-found');
      expect(await deliveries.find(id, deliveryId)).toBeUndefined();
    });

    it('of all that was given up sends it, since then, the oldest first, and no more than asked', async () => {
      const id = await endpoint();
      await heldAndReleased();
      await relayAll(events);
      for (const delivery of await take(id)) await deliveries.recordAttempt(delivery, BROKEN, GIVEN_UP);
      const [last] = (await deliveries.list(id, { limit: 1 })).items;
      const after = new Date((last?.endedAt?.getTime() ?? 0) + 1);
      expect(await deliveries.replayFailed(id, after, 10)).toBe(0);
      expect(await deliveries.replayFailed(id, new Date(0), 1)).toBe(1);
      expect(typesOf(await take(id))).toEqual(['reservation.held']);
      expect(await deliveries.replayFailed(id, new Date(0), 10)).toBe(1);
      expect(await deliveries.replayFailed(id, new Date(0), 10)).toBe(0);
      expect(typesOf(await take(id))).toEqual(['reservation.cancelled']);
    });
  });

  describe('a test', () => {
    it('is sent to its endpoint, whatever that asks for, and told to nobody else', async () => {
      const [id, other] = [await endpoint(['payment.captured']), await endpoint()];
      const test = await deliveries.test(id);
      expect(test).toMatchObject({ endpointId: id, type: 'webhook.test', state: 'PENDING', attempts: 0 });
      expect(await relayAll(events)).toEqual([]);
      expect(await take(other)).toEqual([]);
      expect((await taken(id)).event).toMatchObject({
        type: 'webhook.test',
        data: { endpointId: id },
      });
    });

    it('needs an endpoint', async () => {
      expect(await deliveries.test(endpointId(newId()))).toBeUndefined();
    });
  });

  describe('the log', () => {
    it('lists what was sent to an endpoint, the newest first, and only what is in a state if asked so', async () => {
      const id = await endpoint();
      for (const _ of [1, 2, 3]) await held();
      await relayAll(events);
      const [one, two, three] = await take(id);
      if (one === undefined || two === undefined || three === undefined) throw new RangeError('not all are due');
      await deliveries.recordAttempt(one, OK, DELIVERED);
      await deliveries.recordAttempt(three, SILENT, GIVEN_UP);
      const pages = await allPages((page) => deliveries.list(id, page), 2);
      expect(pages.map((page) => page.length)).toEqual([2, 1]);
      expect(pages.flat().map(({ deliveryId, state }) => [deliveryId, state])).toEqual([
        [three.deliveryId, 'FAILED'],
        [two.deliveryId, 'PENDING'],
        [one.deliveryId, 'DELIVERED'],
      ]);
      const [failed, ...none] = (await deliveries.list(id, { limit: 10 }, 'FAILED')).items;
      expect(none).toEqual([]);
      expect(failed).toMatchObject({
        eventId: three.event.eventId,
        type: 'reservation.held',
        happenedAt: three.event.at,
        attempts: 1,
        lastAttempt: { attempt: 1, failure: 'no answer', durationMs: 56 },
      });
      expect(failed?.endedAt).toBeInstanceOf(Date);
      expect(failed).not.toHaveProperty('nextAttemptAt');
      expect(await deliveries.list(endpointId(newId()), { limit: 10 })).toEqual({ items: [] });
    });

    it('says when the next attempt is, where anybody knows', async () => {
      const id = await endpoint();
      await held();
      await relayAll(events);
      const [pending] = (await deliveries.list(id, { limit: 10 })).items;
      expect(pending?.nextAttemptAt).toBeInstanceOf(Date);

      const delivery = await taken(id);
      expect((await find(id, delivery)).delivery).not.toHaveProperty('nextAttemptAt');
      await deliveries.recordAttempt(delivery, BROKEN, AGAIN);
      expect((await find(id, delivery)).delivery.nextAttemptAt).toBeInstanceOf(Date);
      await webhooks.change(id, { enabled: false });
      expect((await find(id, delivery)).delivery).not.toHaveProperty('nextAttemptAt');
      expect(await deliveries.test(id)).not.toHaveProperty('nextAttemptAt');
    });
  });
}
