import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { Place } from '#domain/queue.ts';
import type { Joined, WaitingRoom } from '#ports/waiting-room.ts';
import { expectRefusal } from './expect-refusal.ts';

export type WaitingRoomHarness = {
  readonly waitingRoom: WaitingRoom;
  /** Time goes by at the line of this concert. */
  passes(concert: ConcertId, milliseconds: number): Promise<void>;
};

const SESSION_SECONDS = 60;
const SESSION_MS = SESSION_SECONDS * 1_000;
/** How long the test itself may take, at most, on a clock that cannot be stopped. */
const SLACK_MS = 5_000;
const EVERYBODY = 1_000;

/** What holds of every waiting room. `open` is called once per test. */
export function waitingRoomContract(open: () => WaitingRoomHarness): void {
  function line() {
    const { waitingRoom, passes } = open();
    const concert = concertId(newId());
    const someone = () => userId(newId());
    const join = (user = someone(), waitingMax = EVERYBODY) => waitingRoom.join(concert, user, { waitingMax });
    const admit = (activeMax: number) => waitingRoom.admit(concert, { activeMax, sessionSeconds: SESSION_SECONDS });
    const find = ({ claim }: Joined) => waitingRoom.find(claim);
    const statuses = async (all: readonly Joined[]) => (await Promise.all(all.map(find))).map(({ status }) => status);
    /** One after the other, so that their order is known. */
    async function joinAll(count: number): Promise<Joined[]> {
      const all: Joined[] = [];
      for (let joined = 0; joined < count; joined++) all.push(await join());
      return all;
    }
    async function letIn(): Promise<Joined> {
      const joined = await join();
      await admit(EVERYBODY);
      return joined;
    }
    const passing = (milliseconds: number) => passes(concert, milliseconds);
    return { waitingRoom, concert, someone, join, joinAll, letIn, admit, find, statuses, passes: passing };
  }

  describe('joining', () => {
    it('draws places from 1, each at the end of the line', async () => {
      const { joinAll } = line();
      const all = await joinAll(3);
      expect(all.map(({ claim }) => claim.sequence)).toEqual([1, 2, 3]);
      expect(all.map(({ place }) => place)).toMatchObject(
        [1, 2, 3].map((position) => ({ status: 'WAITING', position })),
      );
      expect(all.every(({ fresh }) => fresh)).toBe(true);
    });

    it('names user, concert and time of joining in the claim', async () => {
      const { join, someone, concert } = line();
      const user = someone();
      const { claim } = await join(user);
      expect(claim).toMatchObject({ userId: user, concertId: concert });
      expect(claim.joinedAt.getTime()).toBeGreaterThan(0);
      expect(claim.epoch).not.toBe('');
    });

    it('finds the same place again, waiting and let in', async () => {
      const { join, joinAll, admit } = line();
      const [first] = await joinAll(2);
      if (first === undefined) throw new RangeError();
      expect(await join(first.claim.userId)).toEqual({ ...first, fresh: false });
      await admit(1);
      const again = await join(first.claim.userId);
      expect(again).toMatchObject({ claim: first.claim, place: { status: 'ACTIVE' }, fresh: false });
    });

    it('gives everybody a number of their own, however many come at once', async () => {
      const { join, someone } = line();
      const users = Array.from({ length: 50 }, someone);
      const all = await Promise.all([...users, ...users].map((user) => join(user)));
      const numbers = new Map(all.map(({ claim }) => [claim.userId, claim.sequence]));
      expect([...numbers.values()].sort((a, b) => a - b)).toEqual(users.map((_, index) => index + 1));
      expect(all.filter(({ fresh }) => fresh)).toHaveLength(users.length);
    });

    it('is refused when the line is full, but not to those who are in it', async () => {
      const { join, joinAll, someone, admit } = line();
      const [first] = await joinAll(2);
      await expectRefusal(join(someone(), 2), 'queue-full');
      expect(await join(first?.claim.userId, 2)).toMatchObject({ claim: first?.claim });
      await admit(1);
      expect(await join(someone(), 2)).toMatchObject({ claim: { sequence: 3 }, fresh: true });
    });

    it('keeps the lines of two concerts apart', async () => {
      const { waitingRoom, join, admit } = line();
      const { claim } = await join();
      const other = concertId(newId());
      const there = await waitingRoom.join(other, claim.userId, { waitingMax: EVERYBODY });
      await admit(EVERYBODY);
      expect(there).toMatchObject({ claim: { sequence: 1, concertId: other }, fresh: true });
      expect(await waitingRoom.find(there.claim)).toMatchObject({ status: 'WAITING', position: 1 });
      expect(await waitingRoom.find(claim)).toMatchObject({ status: 'ACTIVE' });
      expect(await waitingRoom.find({ ...claim, concertId: other, sequence: 2 })).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('the position', () => {
    it('falls as those ahead leave or are let in, and never rises', async () => {
      const { waitingRoom, joinAll, join, admit, find } = line();
      const [first, second, , last] = await joinAll(4);
      if (first === undefined || second === undefined || last === undefined) throw new RangeError();
      const seen: Place[] = [];
      const look = async () => seen.push(await find(last));
      await look();
      await waitingRoom.leave(second.claim);
      await look();
      await admit(1);
      await look();
      await join(second.claim.userId);
      await look();
      expect(seen).toMatchObject([4, 3, 2, 2].map((position) => ({ status: 'WAITING', position })));
    });
  });

  describe('a place', () => {
    it('is EXPIRED when it is of another memory of the line, or another number than the user has', async () => {
      const { waitingRoom, join, letIn, admit } = line();
      const inside = await letIn();
      const waiting = await join();
      for (const { claim } of [inside, waiting]) {
        expect(await waitingRoom.find({ ...claim, epoch: 'elsewise' })).toEqual({ status: 'EXPIRED' });
        expect(await waitingRoom.find({ ...claim, sequence: claim.sequence + 7 })).toEqual({ status: 'EXPIRED' });
      }
      expect((await admit(0)).active).toBe(1);
    });

    it('is EXPIRED once another has replaced it, which an end of the old one does not end', async () => {
      const { waitingRoom, join, find } = line();
      const old = await join();
      await waitingRoom.leave(old.claim);
      const anew = await join(old.claim.userId);
      expect(anew.claim.sequence).toBe(2);
      expect(await find(old)).toEqual({ status: 'EXPIRED' });
      await waitingRoom.leave(old.claim);
      await waitingRoom.extend(old.claim, SESSION_MS);
      expect(await find(anew)).toMatchObject({ status: 'WAITING', position: 1 });
    });
  });

  describe('leaving', () => {
    it('gives a waiting place up for good: who joins again is last', async () => {
      const { waitingRoom, joinAll, join, find } = line();
      const [first, second] = await joinAll(2);
      if (first === undefined || second === undefined) throw new RangeError();
      await waitingRoom.leave(first.claim);
      expect(await find(first)).toEqual({ status: 'EXPIRED' });
      expect(await find(second)).toMatchObject({ position: 1 });
      expect(await join(first.claim.userId)).toMatchObject({
        claim: { sequence: 3 },
        place: { status: 'WAITING', position: 2 },
        fresh: true,
      });
    });

    it('ends a session and makes room for the next', async () => {
      const { waitingRoom, join, admit, statuses } = line();
      const [first, second] = [await join(), await join()];
      await admit(1);
      await waitingRoom.leave(first.claim);
      expect(await admit(1)).toMatchObject({ admitted: 1, active: 1, waiting: 0 });
      expect(await statuses([first, second])).toEqual(['EXPIRED', 'ACTIVE']);
    });

    it('is harmless when repeated', async () => {
      const { waitingRoom, joinAll, admit } = line();
      const [first] = await joinAll(3);
      if (first === undefined) throw new RangeError();
      await admit(1);
      await waitingRoom.leave(first.claim);
      await waitingRoom.leave(first.claim);
      expect(await admit(1)).toMatchObject({ admitted: 1, active: 1, waiting: 1 });
    });
  });

  describe('admission', () => {
    it('lets people in in the order of their numbers', async () => {
      const { joinAll, admit, statuses } = line();
      const all = await joinAll(4);
      await admit(1);
      expect(await statuses(all)).toEqual(['ACTIVE', 'WAITING', 'WAITING', 'WAITING']);
      await admit(3);
      expect(await statuses(all)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'WAITING']);
    });

    it('lets in nobody beyond the limit, however often and however many ask at once', async () => {
      const { joinAll, admit, statuses } = line();
      const all = await joinAll(12);
      const admissions = await Promise.all(Array.from({ length: 8 }, () => admit(5)));
      expect(admissions.map(({ admitted }) => admitted).reduce((sum, count) => sum + count)).toBe(5);
      expect(admissions.every(({ active, waiting }) => active === 5 && waiting === 7)).toBe(true);
      expect(await statuses(all)).toEqual(all.map((_, index) => (index < 5 ? 'ACTIVE' : 'WAITING')));
    });

    it('sends nobody out when the limit is lowered, and lets nobody in until there is room', async () => {
      const { waitingRoom, joinAll, admit, statuses } = line();
      const all = await joinAll(4);
      await admit(3);
      expect(await admit(1)).toMatchObject({ admitted: 0, expired: 0, active: 3, waiting: 1 });
      for (const { claim } of all.slice(0, 2)) await waitingRoom.leave(claim);
      expect(await admit(1)).toMatchObject({ admitted: 0, active: 1 });
      expect(await statuses(all)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE', 'WAITING']);
    });

    it('has nobody to let in at an empty line', async () => {
      const { admit } = line();
      expect(await admit(5)).toEqual({ admitted: 0, expired: 0, active: 0, waiting: 0 });
    });

    it('ends the sessions that have run out and lets the next in, in one step', async () => {
      const { joinAll, admit, statuses, passes } = line();
      const all = await joinAll(3);
      await admit(2);
      await passes(SESSION_MS + 1);
      expect(await admit(2)).toEqual({ admitted: 1, expired: 2, active: 1, waiting: 0 });
      expect(await statuses(all)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE']);
    });
  });

  describe('a session', () => {
    it('lasts as long as the policy says', async () => {
      const { letIn, find, passes } = line();
      const joined = await letIn();
      const place = await find(joined);
      if (place.status !== 'ACTIVE') throw new RangeError();
      const lasts = place.expiresAt.getTime() - joined.claim.joinedAt.getTime();
      expect(lasts).toBeGreaterThanOrEqual(SESSION_MS);
      expect(lasts).toBeLessThan(SESSION_MS + SLACK_MS);
      await passes(SESSION_MS - SLACK_MS);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
      await passes(SLACK_MS + 1);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('is over in time, whether or not anybody has tidied it away: the user can join again', async () => {
      const { letIn, join, find, passes } = line();
      const old = await letIn();
      await passes(SESSION_MS + 1);
      const anew = await join(old.claim.userId);
      expect(anew).toMatchObject({ claim: { sequence: 2 }, place: { status: 'WAITING', position: 1 }, fresh: true });
      expect(await find(old)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('settling', () => {
    it('answers as finding does', async () => {
      const { waitingRoom, join, letIn, find } = line();
      const inside = await letIn();
      const waiting = await join();
      for (const joined of [inside, waiting]) {
        const found = await find(joined);
        expect(await waitingRoom.settle(joined.claim)).toMatchObject({ status: found.status });
      }
      expect(await waitingRoom.settle({ ...inside.claim, sequence: 99 })).toEqual({ status: 'EXPIRED' });
    });

    it('keeps a session open for a command that is under way at its end', async () => {
      const { waitingRoom, letIn, find, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS - SLACK_MS);
      await waitingRoom.settle(joined.claim);
      await passes(SLACK_MS + 1);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
    });

    it('cannot be used to stay', async () => {
      const { waitingRoom, letIn, find, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS - SLACK_MS);
      for (let seconds = 0; seconds < SESSION_SECONDS; seconds++) {
        await waitingRoom.settle(joined.claim);
        await passes(1_000);
      }
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('does not bring back a session that is over, nor shorten one that is not', async () => {
      const { waitingRoom, letIn, find, passes } = line();
      const joined = await letIn();
      const before = await find(joined);
      await waitingRoom.settle(joined.claim);
      expect(await find(joined)).toEqual(before);
      await passes(SESSION_MS + 1);
      expect(await waitingRoom.settle(joined.claim)).toEqual({ status: 'EXPIRED' });
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('extending', () => {
    it('lets a session last at least so long from now', async () => {
      const { waitingRoom, letIn, find, passes } = line();
      const joined = await letIn();
      await waitingRoom.extend(joined.claim, 3 * SESSION_MS);
      await passes(3 * SESSION_MS - SLACK_MS);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
      await passes(SLACK_MS + 1);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('never shortens it', async () => {
      const { waitingRoom, letIn, find } = line();
      const joined = await letIn();
      const before = await find(joined);
      await waitingRoom.extend(joined.claim, 1_000);
      expect(await find(joined)).toEqual(before);
    });

    it('holds against admission: who was extended is not sent out', async () => {
      const { waitingRoom, letIn, admit, passes } = line();
      const joined = await letIn();
      await waitingRoom.extend(joined.claim, 3 * SESSION_MS);
      await passes(2 * SESSION_MS);
      expect(await admit(1)).toMatchObject({ expired: 0, active: 1 });
    });

    it('does nothing for a place that waits', async () => {
      const { waitingRoom, join, find } = line();
      const joined = await join();
      await waitingRoom.extend(joined.claim, SESSION_MS);
      expect(await find(joined)).toMatchObject({ status: 'WAITING', position: 1 });
    });

    it('does nothing for a session that is over, tidied away or not', async () => {
      const { waitingRoom, letIn, find, admit, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS + 1);
      await waitingRoom.extend(joined.claim, SESSION_MS);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
      await admit(1);
      await waitingRoom.extend(joined.claim, SESSION_MS);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('the turnover', () => {
    it('is what was measured of sessions that ended, and fades', async () => {
      const { waitingRoom, joinAll, join, admit, find, passes } = line();
      const all = await joinAll(4);
      await admit(4);
      const waiting = await join();
      expect(await find(waiting)).toMatchObject({ turnover: 0 });
      for (const { claim } of all.slice(0, 3)) await waitingRoom.leave(claim);
      await admit(1);
      const measured = await find(waiting);
      if (measured.status !== 'WAITING') throw new RangeError();
      expect(measured.turnover).toBeGreaterThan(0);
      expect(measured.turnover).toBeLessThanOrEqual(3);
      await passes(15 * 60_000);
      const faded = await find(waiting);
      expect(faded.status === 'WAITING' && faded.turnover < measured.turnover / 1_000).toBe(true);
    });
  });
}
