import { createHash } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import { type ConcertId, concertId, type UserId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { expectRefusal } from './expect-refusal.ts';
import { granted, HOLD_MS, OUTBOX_DUE_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** How long the test itself may take, at most, on a clock that cannot be stopped. */
const SLACK_MS = 60_000;

export type LinesHarness = StoreHarness & {
  /** What is on record of a line, in the order in which it happened. */
  recorded(concertId: ConcertId): Promise<readonly QueueEvent[]>;
  /** The record's present, in milliseconds since 1970. */
  now(): number;
};

const PLENTY = 1_000;

/** What holds of the record of the lines. */
export function queueRecordsContract(harness: LinesHarness): void {
  const { queueRecords, boxOffice, concerts, stage, passes, recorded } = harness;

  describe('opening a queue', () => {
    it('creates it once, however many open it at once: one has created it, and all get the same epoch', async () => {
      const { concertId } = await stage();
      const opened = await Promise.all(Array.from({ length: 8 }, () => queueRecords.open(concertId)));
      expect(opened.filter(({ known }) => !known)).toHaveLength(1);
      expect(new Set(opened.map(({ epoch }) => epoch)).size).toBe(1);
      const { epoch } = await queueRecords.open(concertId);
      expect(epoch).toBe(opened[0]?.epoch);
      expect(Buffer.from(epoch, 'base64url')).toHaveLength(6);
      expect(epoch).toHaveLength(8);
    });

    it('finds nothing in a new queue, and no two queues have the same epoch', async () => {
      const [one, other] = [await stage(), await stage({ policy: { opening: 'lottery' } })];
      const begun = await queueRecords.open(one.concertId);
      const nothing = { known: false, drawn: 0, head: 1, sessions: [], paid: [] };
      expect(begun).toEqual({ ...nothing, epoch: begun.epoch, registering: false });
      await concerts.find(other.concertId);
      const withLots = await queueRecords.open(other.concertId);
      expect(withLots).toEqual({ ...nothing, epoch: withLots.epoch, registering: true });
      expect(withLots.epoch).not.toBe(begun.epoch);
      await queueRecords.draw(other.concertId, 5);
      expect(await queueRecords.open(other.concertId)).toMatchObject({ registering: false, draw: { count: 5 } });
    });

    it('is refused if there is no such concert', async () => {
      await expectRefusal(queueRecords.open(concertId(newId())), 'concert-not-found');
    });

    it('returns the last sequence and head noted, which are never lowered', async () => {
      const { concertId } = await stage();
      await queueRecords.open(concertId);
      await queueRecords.note(concertId, { drawn: 90, head: 40 });
      await queueRecords.note(concertId, { drawn: 100, head: 30 });
      expect(await queueRecords.open(concertId)).toMatchObject({ known: true, drawn: 100, head: 40 });
      await Promise.all([7, 120, 110].map((drawn) => queueRecords.note(concertId, { drawn, head: drawn })));
      expect(await queueRecords.open(concertId)).toMatchObject({ drawn: 120, head: 120 });
    });
  });

  describe('the sessions of a queue', () => {
    /** A line, and people in it who hold and pay under the numbers that they have drawn. */
    async function openLine() {
      const office = await openBoxOffice(harness);
      const { concertId } = office.concert;
      const { epoch } = await queueRecords.open(concertId);
      const placeOf = (userId: UserId, sequence: number) => ({ userId, concertId, sequence, epoch });
      const hold = async (userId: UserId, sequence: number, ...seatNumbers: number[]) =>
        granted(await boxOffice.hold(office.orderOf(userId, seatNumbers, { entry: placeOf(userId, sequence) })));
      const pay = (reservation: Reservation, sequence: number) =>
        boxOffice.pay({ ...office.payOrderOf(reservation), entry: placeOf(reservation.userId, sequence) });
      /** As it is once Redis has been told of everything, and has forgotten it. */
      async function found() {
        await passes(OUTBOX_DUE_MS);
        await boxOffice.ackOutboxMessages(await boxOffice.takeOutboxMessages(PLENTY));
        const { sessions, paid } = await queueRecords.open(concertId);
        return { sessions, paid };
      }
      return { ...office, hold, pay, found };
    }

    it('are those of users who hold seats, each once and for as long as the longest hold', async () => {
      const { user, hold, found } = await openLine();
      const [one, other] = [await user(), await user()];
      await hold(other, 12, 1);
      await passes(60_000);
      await hold(other, 12, 2);
      await hold(one, 5, 3, 4);
      const { sessions, paid } = await found();
      expect(paid).toEqual([]);
      expect(sessions.map(({ userId, sequence }) => [userId, sequence])).toEqual([
        [one, 5],
        [other, 12],
      ]);
      for (const { remainingMs } of sessions) {
        expect(remainingMs).toBeGreaterThan(HOLD_MS - OUTBOX_DUE_MS - SLACK_MS);
        expect(remainingMs).toBeLessThanOrEqual(HOLD_MS - OUTBOX_DUE_MS);
      }
    });

    it('have ended once their holds are paid, released or expired; sequences that have paid stay known', async () => {
      const { user, hold, pay, found } = await openLine();
      const [buyer, leaver, sleeper] = [await user(100_000), await user(), await user()];
      const paid = await hold(buyer, 3, 1);
      await hold(buyer, 3, 5);
      const released = await hold(leaver, 2, 2);
      await hold(sleeper, 9, 3);
      await pay(paid, 3);
      await boxOffice.release(leaver, released.reservationId);
      expect(await found()).toMatchObject({ sessions: [{ userId: sleeper, sequence: 9 }], paid: [3] });
      await passes(HOLD_MS);
      expect(await found()).toEqual({ sessions: [], paid: [3] });
    });

    it('stay ended once the payment is refunded: only its sequence stays known', async () => {
      const { user, hold, pay, cancel, found } = await openLine();
      const [refunded, leaver] = [await user(100_000), await user()];
      const reservation = await hold(refunded, 3, 1);
      await pay(reservation, 3);
      await cancel(reservation);
      await cancel(await hold(leaver, 4, 2));
      expect(await found()).toEqual({ sessions: [], paid: [3] });
    });

    it('end with the payment by the sequence that paid, which may be later than the one that held', async () => {
      const { user, hold, pay, found } = await openLine();
      const reservation = await hold(await user(100_000), 3, 1);
      await pay(reservation, 8);
      expect(await found()).toEqual({ sessions: [], paid: [8] });
    });

    it('exclude those of another concert and of another epoch', async () => {
      const { user, orderOf, hold, found } = await openLine();
      const [one, other] = [await user(), await user()];
      const stray = await openLine();
      await stray.hold(one, 1, 1);
      granted(await boxOffice.hold(orderOf(other, [1])));
      await hold(one, 4, 2);
      expect(await found()).toMatchObject({ sessions: [{ userId: one, sequence: 4 }], paid: [] });
    });
  });

  describe('a session on record', () => {
    const SESSION_SECONDS = 600;
    const SESSION_MS = 1_000 * SESSION_SECONDS;

    async function openLine() {
      const office = await openBoxOffice(harness);
      const { concertId } = office.concert;
      const { epoch } = await queueRecords.open(concertId);
      const someone = await office.user(100_000);
      const entry = (sequence = 1) => ({ userId: someone, concertId, sequence, epoch });
      let told = 0;
      /** It happens, by the clock of the log, so long before the record's own present. */
      async function happens(kind: QueueEvent['kind'], { sequence = 1, agoMs = 0 } = {}): Promise<void> {
        told += 1;
        const at = new Date(harness.now() - agoMs);
        await queueRecords.record(concertId, [
          { eventId: `1-${told}-0`, kind, sequence, order: sequence, joinedAt: undefined, at },
        ]);
      }
      const found = (sequence?: number) => queueRecords.findSession(entry(sequence), SESSION_SECONDS);
      const hold = async (...seatNumbers: number[]) =>
        granted(await boxOffice.hold(office.orderOf(someone, seatNumbers, { entry: entry() })));
      const pay = (reservation: Reservation, sequence?: number) =>
        boxOffice.pay({ ...office.payOrderOf(reservation), entry: entry(sequence) });
      return { ...office, someone, entry, happens, found, hold, pay };
    }

    it('is that of an admitted entry, for as long as sessions last', async () => {
      const { happens, found } = await openLine();
      await happens('admitted', { agoMs: 60_000 });
      const { remainingMs = 0 } = (await found()) ?? {};
      expect(remainingMs).toBeGreaterThan(SESSION_MS - 60_000 - SLACK_MS);
      expect(remainingMs).toBeLessThanOrEqual(SESSION_MS - 60_000 + 1_000);
      await happens('admitted', { sequence: 2, agoMs: SESSION_MS + 1_000 });
      expect(await found(2)).toBeUndefined();
    });

    it('excludes entries that are not on record, of another epoch or of another user', async () => {
      const { happens, found, entry, user } = await openLine();
      await happens('admitted');
      const reservation = await (await openLine()).found();
      expect([await found(2), reservation]).toEqual([undefined, undefined]);
      expect(await queueRecords.findSession({ ...entry(), epoch: 'AAAAAAAA' }, SESSION_SECONDS)).toBeUndefined();
      const { hold, entry: mine } = await openLine();
      await hold(1);
      expect(await queueRecords.findSession(mine(), SESSION_SECONDS)).toBeDefined();
      expect(await queueRecords.findSession({ ...mine(), userId: await user() }, SESSION_SECONDS)).toBeUndefined();
    });

    it.each(['passed-over', 'returned', 'left', 'forgotten', 'restored', 'ended'] as const)(
      'does not exist for an entry that was last %s, whatever happened before, and whatever it holds',
      async (kind) => {
        const { happens, found, hold } = await openLine();
        await happens('admitted');
        await hold(1);
        expect(await found()).toBeDefined();
        await happens(kind);
        expect(await found()).toBeUndefined();
        await happens('admitted');
        expect(await found()).toBeDefined();
      },
    );

    it('lasts as long as a hold, which proves it before the admission is on record', async () => {
      const { happens, found, hold, someone } = await openLine();
      const { reservationId } = await hold(1);
      const { remainingMs = 0 } = (await found()) ?? {};
      expect(remainingMs).toBeGreaterThan(HOLD_MS - SLACK_MS);
      expect(remainingMs).toBeLessThanOrEqual(HOLD_MS);
      await happens('admitted', { agoMs: SESSION_MS + 1_000 });
      expect(await found()).toBeDefined();
      await boxOffice.release(someone, reservationId);
      expect(await found()).toBeUndefined();
    });

    it('has ended once it has paid, refunded or not, though other seats are still held', async () => {
      const { happens, found, hold, pay, cancel } = await openLine();
      await happens('admitted');
      const [paid, _held] = [await hold(1), await hold(2)];
      await pay(paid);
      expect(await found()).toBeUndefined();
      await cancel(paid);
      expect(await found()).toBeUndefined();
      await happens('admitted', { sequence: 5 });
      expect(await found(5)).toBeDefined();
    });
  });

  describe('drawing lots', () => {
    it('closes the registration once, however many close it; from then on the seed is public', async () => {
      const { concertId } = await stage({ policy: { opening: 'lottery' } });
      await queueRecords.open(concertId);
      const before = await concerts.find(concertId);
      const draws = await Promise.all([5, 6, 7].map((count) => queueRecords.draw(concertId, count)));
      const [draw] = draws;
      expect([5, 6, 7]).toContain(draw?.count);
      expect(draws).toEqual([draw, draw, draw]);
      expect(await queueRecords.draw(concertId, 99)).toEqual(draw);
      expect((await queueRecords.open(concertId)).draw).toEqual(draw);

      const seed = Buffer.from(draw?.seed ?? '', 'hex');
      expect(seed).toHaveLength(32);
      expect(createHash('sha256').update(seed).digest('hex')).toBe(before?.lottery?.seedSha256);
      await passes(1_000);
      const { lottery } = (await concerts.find(concertId)) ?? {};
      expect(lottery).toEqual({ ...before?.lottery, drawn: { ...draw, at: expect.any(Date) } });
    });

    it('may find no entries', async () => {
      const { concertId } = await stage({ policy: { opening: 'lottery' } });
      await concerts.find(concertId);
      expect((await queueRecords.draw(concertId, 0)).count).toBe(0);
      expect((await queueRecords.draw(concertId, 3)).count).toBe(0);
    });

    it('is our own bug without a lottery', async () => {
      const { concertId } = await stage();
      await expect(queueRecords.draw(concertId, 1)).rejects.toThrow(RangeError);
    });
  });

  describe('the record', () => {
    const at = (ms: number) => new Date(Date.UTC(2027, 0, 1) + ms);
    const event = (eventId: string, more: Partial<QueueEvent> = {}): QueueEvent => ({
      eventId,
      kind: 'admitted',
      sequence: 1,
      order: 1,
      joinedAt: at(0),
      at: at(1_500),
      ...more,
    });

    it('has every event as recorded, in the order of the log, whatever the order of recording', async () => {
      const { concertId } = await stage();
      const kinds = ['admitted', 'passed-over', 'returned', 'left', 'forgotten', 'restored', 'ended'] as const;
      const told = kinds.map((kind, index) =>
        event(`1767225600000-${9 + index}-0`, { kind, sequence: 89_000_000 - index, order: 1 + index }),
      );
      const first = event('999-0-0', { joinedAt: undefined });
      await queueRecords.open(concertId);
      await queueRecords.record(concertId, told.toReversed());
      await queueRecords.record(concertId, [first]);
      expect(await recorded(concertId)).toEqual([first, ...told]);
    });

    it('has each event once, as first recorded, though recorded twice or by several at once', async () => {
      const [one, other] = [await stage(), await stage()];
      for (const { concertId } of [one, other]) await queueRecords.open(concertId);
      const events = [event('5-0-0'), event('5-0-1', { sequence: 2, order: 2 }), event('5-1-0', { kind: 'left' })];
      await Promise.all(
        [events, events.slice(1), [...events, ...events]].map((all) => queueRecords.record(one.concertId, all)),
      );
      await queueRecords.record(one.concertId, [event('5-0-0', { kind: 'forgotten' })]);
      await queueRecords.record(other.concertId, events.slice(0, 1));
      expect(await recorded(one.concertId)).toEqual(events);
      expect(await recorded(other.concertId)).toEqual(events.slice(0, 1));
    });
  });
}
