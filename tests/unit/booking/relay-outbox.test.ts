import { describe, expect, it } from 'vitest';
import { HOLD_KEY_MARGIN_MS, type Hold, SESSION_MARGIN_MS } from '#domain/booking/reservation.ts';
import { concertDate, concertId, paymentId, reservationId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { OutboxMessage } from '#ports/booking/box-office.ts';
import type { Ports } from '#ports/index.ts';
import { granted } from '#tests/contracts/store-harness.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';

const DUE_MS = 1_000;
const LEASE_MS = 10_000;
const HOLD_SECONDS = 300;

/** Fans who are in, and holds of which only the box office knows, as after a crash right behind its answer. */
function crashed() {
  const world = memoryWorld();
  const { ports } = world;
  const concert = world.stage({ policy: { activeMax: 9, sessionSeconds: 60 } });
  const date = concert.dates[0]?.date ?? concertDate('');

  async function hold(seatNumber: number): Promise<{ readonly entry: QueueEntry; readonly hold: Hold }> {
    const entry = await world.fan(concert, 50_000);
    const { userId, concertId } = entry;
    const hold = { userId, concertId, date, seatNumbers: [seatNumber], reservationId: reservationId(ports.newId()) };
    const request = { userId, key: 'hold', fingerprint: '' };
    const order = {
      ...hold,
      entry: entry,
      holdSeconds: HOLD_SECONDS,
      seatsPerUserMax: 4,
      holdsPerSessionMax: 10_000,
      sessionSeconds: 600,
      strandedSeats: 'off' as const,
      request,
    };
    granted(await ports.boxOffice.hold(order));
    return { entry, hold };
  }
  const pay = (entry: QueueEntry, { reservationId }: Hold) =>
    ports.boxOffice.pay({
      paymentId: paymentId(ports.newId()),
      reservationId,
      entry,
      request: { userId: entry.userId, key: 'pay', fingerprint: '' },
    });
  async function isMarked(hold: Hold): Promise<boolean> {
    const stranger = { ...hold, userId: await world.user(), reservationId: reservationId(ports.newId()) };
    const look = ports.holdKeys.acquire(stranger, { userId: stranger.userId, key: 'look', fingerprint: '' });
    const marked = await look.then(
      () => false,
      () => true,
    );
    await ports.holdKeys.release(stranger);
    return marked;
  }
  const placeOf = (entry: QueueEntry) => ports.queue.find(entry);
  return { ...world, hold, pay, isMarked, placeOf };
}

/** The ends of so many holds of another day, each to be told. */
function backlog(ports: Ports, count: number) {
  const hold = {
    userId: userId(ports.newId()),
    concertId: concertId(ports.newId()),
    date: concertDate('2027-05-01'),
    seatNumbers: [1],
  };
  const due = new Map<string, OutboxMessage>();
  const deferred = new Set<string>();
  for (let id = 1; id <= count; id++) {
    const messageId = String(id);
    const ended = { ...hold, reservationId: reservationId(ports.newId()) };
    due.set(messageId, { messageId, version: '', hold: ended, status: 'EXPIRED', paid: false, remainingMs: 0 });
  }
  const boxOffice: Ports['boxOffice'] = {
    ...ports.boxOffice,
    takeOutboxMessages: async (batchMax) => [...due.values()].slice(0, batchMax),
    async ackOutboxMessages(messages) {
      for (const { messageId } of messages) due.delete(messageId);
      return messages.map(({ messageId }) => messageId);
    },
    async retryOutboxMessages(messageIds) {
      for (const messageId of messageIds) if (due.delete(messageId)) deferred.add(messageId);
    },
  };
  return { ports: { ...ports, boxOffice }, left: () => due.size + deferred.size };
}

describe('the relay', () => {
  it('leaves the command time to inform Redis itself', async () => {
    const { ports, clock, hold } = crashed();
    await hold(1);
    clock.advance(DUE_MS - 1);
    expect(await relayOutbox(ports)).toBe(0);
  });

  it('sets the hold keys for the rest of a hold, and extends the session as long, each with its margin', async () => {
    const { ports, clock, hold, isMarked, placeOf } = crashed();
    const held = await hold(1);
    const ends = new Date(clock.now() + HOLD_SECONDS * 1_000);
    clock.advance(30_000);
    expect(await relayOutbox(ports)).toBe(1);
    expect(await isMarked(held.hold)).toBe(true);
    expect(await placeOf(held.entry)).toEqual({
      ...{ status: 'ACTIVE', expiresAt: new Date(ends.getTime() + SESSION_MARGIN_MS) },
    });
    clock.advance(ends.getTime() - clock.now());
    expect(await isMarked(held.hold)).toBe(true);
    clock.advance(HOLD_KEY_MARGIN_MS);
    expect(await isMarked(held.hold)).toBe(false);
  });

  it('deletes the hold keys after a payment, and ends the session', async () => {
    const { ports, clock, hold, pay, isMarked, placeOf } = crashed();
    const { entry, hold: held } = await hold(1);
    await ports.holdKeys.keep(held, 900_000);
    await pay(entry, held);
    clock.advance(DUE_MS);
    await relayOutbox(ports);
    expect(await isMarked(held)).toBe(false);
    expect(await placeOf(entry)).toEqual({ status: 'EXPIRED' });
  });

  it('deletes the hold keys after a release and after the deadline, and leaves the session alone', async () => {
    const { ports, clock, hold, isMarked, placeOf } = crashed();
    const [released, lapsed] = [await hold(1), await hold(2)];
    for (const { entry, hold } of [released, lapsed]) {
      await ports.holdKeys.keep(hold, 900_000);
      await ports.queue.extend(entry, 900_000);
    }
    await ports.boxOffice.release(released.entry.userId, released.hold.reservationId);
    clock.advance(HOLD_SECONDS * 1_000);
    await relayOutbox(ports);
    expect([await isMarked(released.hold), await isMarked(lapsed.hold)]).toEqual([false, false]);
    const places = [await placeOf(released.entry), await placeOf(lapsed.entry)];
    expect(places).toMatchObject([{ status: 'ACTIVE' }, { status: 'ACTIVE' }]);
  });

  it.each([
    ['within its lease', DUE_MS],
    ['after its lease', LEASE_MS],
  ])('frees the keys of a hold that another instance has released and relayed %s', async (_, laterMs) => {
    const { ports, clock, hold, isMarked } = crashed();
    const { entry, hold: held } = await hold(1);
    clock.advance(DUE_MS);
    const slow: Ports = {
      ...ports,
      holdKeys: {
        ...ports.holdKeys,
        async keep(...wanted) {
          await ports.boxOffice.release(entry.userId, held.reservationId);
          clock.advance(laterMs);
          await relayOutbox(ports);
          await ports.holdKeys.keep(...wanted);
        },
      },
    };
    await relayOutbox(slow);
    expect(await isMarked(held)).toBe(false);
    clock.advance(LEASE_MS);
    await relayOutbox(ports);
    expect(await isMarked(held)).toBe(false);
  });

  it('does not end a later session of a user who has paid in an earlier one', async () => {
    const { ports, clock, hold, pay, placeOf } = crashed();
    const { entry, hold: held } = await hold(1);
    await pay(entry, held);
    await ports.queue.leave(entry);
    const { entry: later } = await ports.queue.join(entry.concertId, entry.userId, {
      waitingMax: 9,
      opening: 'fifo',
    });
    clock.advance(DUE_MS);
    await relayOutbox(ports);
    expect(await placeOf(later)).toMatchObject({ status: 'WAITING', position: 1 });
  });

  it('acknowledges relayed messages, so that they do not come again', async () => {
    const { ports, clock, hold } = crashed();
    await hold(1);
    clock.advance(DUE_MS);
    expect(await relayOutbox(ports)).toBe(1);
    clock.advance(LEASE_MS);
    expect(await relayOutbox(ports)).toBe(0);
  });

  it('continues while there are more messages than one batch, and ends within bounds', async () => {
    const { ports } = crashed();
    const announced = backlog(ports, 2_500);
    expect(await relayOutbox(announced.ports)).toBe(2_000);
    expect(await relayOutbox(announced.ports)).toBe(500);
    expect(announced.left()).toBe(0);
  });

  it('continues after a failure as long as some messages succeed', async () => {
    const { ports } = crashed();
    const announced = backlog(ports, 1_000);
    const failing = failingPorts(announced.ports, [{ nth: 2, takesEffect: false }]);
    await expect(relayOutbox(failing.ports)).rejects.toMatchObject({ code: 'unavailable' });
    expect(announced.left()).toBe(1);
  });

  it('stops when a whole batch fails, as the next would fail as well', async () => {
    const { ports } = crashed();
    const announced = backlog(ports, 1_000);
    const faults = Array.from({ length: 200 }, (_, index) => ({ nth: 2 + index, takesEffect: false }));
    const failing = failingPorts(announced.ports, faults);
    await expect(relayOutbox(failing.ports)).rejects.toMatchObject({ code: 'unavailable' });
    expect(announced.left()).toBe(1_000);
    expect(failing.calls.filter((call) => call === 'boxOffice.takeOutboxMessages')).toHaveLength(1);
  });

  it('acknowledges the others when one fails, reports it, and retries that one in a second', async () => {
    const { ports, clock, hold, isMarked } = crashed();
    const [one, two] = [await hold(1), await hold(2)];
    clock.advance(DUE_MS);
    const failing = failingPorts(ports, [{ nth: 2, takesEffect: false }]);
    await expect(relayOutbox(failing.ports)).rejects.toMatchObject({ code: 'unavailable' });
    expect(failing.calls.slice(0, 3)).toEqual(['boxOffice.takeOutboxMessages', 'holdKeys.keep', 'holdKeys.keep']);
    expect([await isMarked(one.hold), await isMarked(two.hold)]).toEqual([false, true]);
    clock.advance(DUE_MS);
    expect(await relayOutbox(ports)).toBe(1);
    expect(await isMarked(one.hold)).toBe(true);
  });
});
