import { v7 as newId } from 'uuid';
import { describe, expect, it, vi } from 'vitest';
import { SESSION_MARGIN_MS } from '#domain/booking/reservation.ts';
import type { AdmissionPolicy } from '#domain/catalog/policy.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { EntryState } from '#domain/queue/queue.ts';
import type { Joined, Queue } from '#ports/queue/queue.ts';
import { expectRefusal } from './expect-refusal.ts';

export type QueueHarness = {
  readonly queue: Queue;
  /** Time goes by at the line of this concert. */
  passes(concert: ConcertId, milliseconds: number): Promise<void>;
};

const SESSION_SECONDS = 240;
const SESSION_MS = SESSION_SECONDS * 1_000;
/** How long the test itself may take, at most, on a clock that cannot be stopped. */
const SLACK_MS = 20_000;
/** How long a command under way keeps a session open, at most. */
const SETTLED_MS = 10_000;
const EVERYBODY = 1_000;
const WINDOW_SECONDS = 80;
const WINDOW_MS = WINDOW_SECONDS * 1_000;
const CLAIM_SECONDS = 120;
const HOLD_SECONDS = 3_000;
const ABSENT_SECONDS = 400;
const GRACE_SECONDS = 800;
/** Longer than silence is taken for presence. */
const ABSENT_MS = ABSENT_SECONDS * 1_000 + SLACK_MS;
const GRACE_MS = GRACE_SECONDS * 1_000 + SLACK_MS;

const POLICY: AdmissionPolicy = {
  activeMax: EVERYBODY,
  admitPerWindow: 0,
  windowSeconds: WINDOW_SECONDS,
  paused: false,
  sessionSeconds: SESSION_SECONDS,
  holdSeconds: HOLD_SECONDS,
  holdSecondsMax: 0,
  // Most of these tests let people in who do not ask at once.
  claimSeconds: SESSION_SECONDS,
  absentSeconds: ABSENT_SECONDS,
  graceSeconds: GRACE_SECONDS,
};

const NOBODY = { waiting: 0, active: 0, absent: 0, registered: 0, drawn: 0, turnover: 0, presentShare: 1 };

/** What holds of every waiting room. `open` is called once per test. */
export function queueContract(open: () => QueueHarness): void {
  function line() {
    const { queue, passes } = open();
    const concert = concertId(newId());
    const someone = () => userId(newId());
    const join = (user = someone(), waitingMax = EVERYBODY) =>
      queue.join(concert, user, { waitingMax, opening: 'fifo' });
    const admit = (policy: number | Partial<AdmissionPolicy>) =>
      queue.admit(concert, { ...POLICY, ...(typeof policy === 'number' ? { activeMax: policy } : policy) });
    const find = ({ entry }: Joined) => queue.find(entry);
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
    /** Joins so many, of whom the first stops asking; the others are still there when time is up. */
    async function joinAndLoseFirst(count: number): Promise<[lost: Joined, ...others: Joined[]]> {
      const [lost, ...others] = await joinAll(count);
      if (lost === undefined) throw new RangeError();
      await passing(ABSENT_MS);
      await Promise.all(others.map(find));
      return [lost, ...others];
    }
    const positions = async (all: readonly Joined[]) =>
      (await Promise.all(all.map(find))).map((state) => (state.status === 'WAITING' ? state.position : state.status));
    const passing = (milliseconds: number) => passes(concert, milliseconds);
    const all = { join, joinAll, joinAndLoseFirst, letIn, admit, find, statuses, positions, passes: passing };
    return { queue, concert, someone, ...all };
  }

  describe('joining', () => {
    it('draws sequences from 1, each at the end of the queue', async () => {
      const { joinAll } = line();
      const all = await joinAll(3);
      expect(all.map(({ entry }) => entry.sequence)).toEqual([1, 2, 3]);
      expect(all.map(({ state }) => state)).toMatchObject(
        [1, 2, 3].map((position) => ({ status: 'WAITING', position })),
      );
      expect(all.every(({ fresh }) => fresh)).toBe(true);
    });

    it('returns an entry with user, concert and join time', async () => {
      const { join, someone, concert } = line();
      const user = someone();
      const { entry } = await join(user);
      expect(entry).toMatchObject({ userId: user, concertId: concert });
      expect(entry.joinedAt.getTime()).toBeGreaterThan(0);
      expect(entry.epoch).not.toBe('');
    });

    it('returns the same entry again, waiting and active', async () => {
      const { join, joinAll, admit } = line();
      const [first] = await joinAll(2);
      if (first === undefined) throw new RangeError();
      expect(await join(first.entry.userId)).toEqual({ ...first, fresh: false });
      await admit(1);
      const again = await join(first.entry.userId);
      expect(again).toMatchObject({ entry: first.entry, state: { status: 'ACTIVE' }, fresh: false });
    });

    it('draws a different sequence for each of many concurrent joins', async () => {
      const { join, someone } = line();
      const users = Array.from({ length: 50 }, someone);
      const all = await Promise.all([...users, ...users].map((user) => join(user)));
      const numbers = new Map(all.map(({ entry }) => [entry.userId, entry.sequence]));
      expect([...numbers.values()].sort((a, b) => a - b)).toEqual(users.map((_, index) => index + 1));
      expect(all.filter(({ fresh }) => fresh)).toHaveLength(users.length);
    });

    it('is refused when the queue is full, but not to those who are in it', async () => {
      const { join, joinAll, someone, admit } = line();
      const [first] = await joinAll(2);
      await expectRefusal(join(someone(), 2), 'queue-full');
      expect(await join(first?.entry.userId, 2)).toMatchObject({ entry: first?.entry });
      await admit(1);
      expect(await join(someone(), 2)).toMatchObject({ entry: { sequence: 3 }, fresh: true });
    });

    it('keeps the queues of two concerts apart', async () => {
      const { queue, join, admit } = line();
      const { entry } = await join();
      const other = concertId(newId());
      const there = await queue.join(other, entry.userId, { waitingMax: EVERYBODY, opening: 'fifo' });
      await admit(EVERYBODY);
      expect(there).toMatchObject({ entry: { sequence: 1, concertId: other }, fresh: true });
      expect(await queue.find(there.entry)).toMatchObject({ status: 'WAITING', position: 1 });
      expect(await queue.find(entry)).toMatchObject({ status: 'ACTIVE' });
      expect(await queue.find({ ...entry, concertId: other, sequence: 2 })).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('the position', () => {
    it('falls as entries ahead leave or are admitted, and never rises', async () => {
      const { queue, joinAll, join, admit, find } = line();
      const [first, second, , last] = await joinAll(4);
      if (first === undefined || second === undefined || last === undefined) throw new RangeError();
      const seen: EntryState[] = [];
      const look = async () => seen.push(await find(last));
      await look();
      await queue.leave(second.entry);
      await look();
      await admit(1);
      await look();
      await join(second.entry.userId);
      await look();
      expect(seen).toMatchObject([4, 3, 2, 2].map((position) => ({ status: 'WAITING', position })));
    });
  });

  describe('a queue entry', () => {
    it('is EXPIRED with another epoch, or another sequence than the user has', async () => {
      const { queue, join, letIn, admit } = line();
      const inside = await letIn();
      const waiting = await join();
      for (const { entry } of [inside, waiting]) {
        expect(await queue.find({ ...entry, epoch: 'elsewise' })).toEqual({ status: 'EXPIRED' });
        expect(await queue.find({ ...entry, sequence: entry.sequence + 7 })).toEqual({ status: 'EXPIRED' });
      }
      expect((await admit({ paused: true })).active).toBe(1);
    });

    it('is EXPIRED once another has replaced it, and leaving it does not end the new one', async () => {
      const { queue, join, find } = line();
      const old = await join();
      await queue.leave(old.entry);
      const anew = await join(old.entry.userId);
      expect(anew.entry.sequence).toBe(2);
      expect(await find(old)).toEqual({ status: 'EXPIRED' });
      await queue.leave(old.entry);
      await queue.extend(old.entry, SESSION_MS);
      expect(await find(anew)).toMatchObject({ status: 'WAITING', position: 1 });
    });
  });

  describe('leaving', () => {
    it('ends a waiting entry for good: joining again goes to the end', async () => {
      const { queue, joinAll, join, find } = line();
      const [first, second] = await joinAll(2);
      if (first === undefined || second === undefined) throw new RangeError();
      await queue.leave(first.entry);
      expect(await find(first)).toEqual({ status: 'EXPIRED' });
      expect(await find(second)).toMatchObject({ position: 1 });
      expect(await join(first.entry.userId)).toMatchObject({
        entry: { sequence: 3 },
        state: { status: 'WAITING', position: 2 },
        fresh: true,
      });
    });

    it('ends a session and makes room for the next entry', async () => {
      const { queue, join, admit, statuses } = line();
      const [first, second] = [await join(), await join()];
      await admit(1);
      await queue.leave(first.entry);
      expect(await admit(1)).toMatchObject({ admitted: 1, active: 1, waiting: 0 });
      expect(await statuses([first, second])).toEqual(['EXPIRED', 'ACTIVE']);
    });

    it('is harmless when repeated', async () => {
      const { queue, joinAll, admit } = line();
      const [first] = await joinAll(3);
      if (first === undefined) throw new RangeError();
      await admit(1);
      await queue.leave(first.entry);
      await queue.leave(first.entry);
      expect(await admit(1)).toMatchObject({ admitted: 1, active: 1, waiting: 1 });
    });
  });

  describe('admission', () => {
    it('admits entries in the order of their numbers', async () => {
      const { joinAll, admit, statuses } = line();
      const all = await joinAll(4);
      await admit(1);
      expect(await statuses(all)).toEqual(['ACTIVE', 'WAITING', 'WAITING', 'WAITING']);
      await admit(3);
      expect(await statuses(all)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'WAITING']);
    });

    it('admits nobody beyond the limit, however often it runs and however many run at once', async () => {
      const { joinAll, admit, statuses } = line();
      const all = await joinAll(12);
      const admissions = await Promise.all(Array.from({ length: 8 }, () => admit(5)));
      expect(admissions.map(({ admitted }) => admitted).reduce((sum, count) => sum + count)).toBe(5);
      expect(admissions.every(({ active, waiting }) => active === 5 && waiting === 7)).toBe(true);
      expect(await statuses(all)).toEqual(all.map((_, index) => (index < 5 ? 'ACTIVE' : 'WAITING')));
    });

    it('ends no session when the limit is lowered, and admits nobody until there is room', async () => {
      const { queue, joinAll, admit, statuses } = line();
      const all = await joinAll(4);
      await admit(3);
      expect(await admit(1)).toMatchObject({ admitted: 0, expired: 0, active: 3, waiting: 1 });
      for (const { entry } of all.slice(0, 2)) await queue.leave(entry);
      expect(await admit(1)).toMatchObject({ admitted: 0, active: 1 });
      expect(await statuses(all)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE', 'WAITING']);
    });

    it('admits nobody from an empty queue', async () => {
      const { admit } = line();
      expect(await admit(5)).toEqual({ admitted: 0, expired: 0, passedOver: 0, active: 0, waiting: 0 });
    });

    it('ends expired sessions and admits the next entries in one step', async () => {
      const { joinAll, admit, statuses, passes } = line();
      const all = await joinAll(3);
      await admit(2);
      await passes(SESSION_MS + 1);
      expect(await admit(2)).toEqual({ admitted: 1, expired: 2, passedOver: 0, active: 1, waiting: 0 });
      expect(await statuses(all)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE']);
    });
  });

  describe('the limit per window', () => {
    const two = { activeMax: 0, admitPerWindow: 2 };

    it('admits no more than that within any window, and the next as soon as one has slid out', async () => {
      const { joinAll, admit, passes } = line();
      await joinAll(6);
      expect(await admit({ ...two, admitPerWindow: 1 })).toMatchObject({ admitted: 1 });
      await passes(WINDOW_MS / 2);
      expect(await admit(two)).toMatchObject({ admitted: 1 });
      expect(await admit(two)).toMatchObject({ admitted: 0, waiting: 4 });
      await passes(WINDOW_MS / 2 - SLACK_MS);
      expect(await admit(two)).toMatchObject({ admitted: 0 });
      await passes(SLACK_MS + 100);
      expect(await admit(two)).toMatchObject({ admitted: 1 });
      await passes(WINDOW_MS / 2 - SLACK_MS);
      expect(await admit(two)).toMatchObject({ admitted: 0 });
      await passes(SLACK_MS + 100);
      expect(await admit(two)).toMatchObject({ admitted: 1, waiting: 2 });
    });

    it('holds for any number of concurrent admissions', async () => {
      const { joinAll, admit, passes, statuses } = line();
      const all = await joinAll(12);
      for (const expected of [5, 5, 2]) {
        const admissions = await Promise.all(
          Array.from({ length: 8 }, () => admit({ activeMax: 0, admitPerWindow: 5 })),
        );
        expect(admissions.map(({ admitted }) => admitted).reduce((sum, count) => sum + count)).toBe(expected);
        await passes(WINDOW_MS + 100);
      }
      expect(await statuses(all)).not.toContain('WAITING');
    });

    it('gets nothing back when a session ends early', async () => {
      const { queue, joinAll, admit } = line();
      const [first] = await joinAll(3);
      await admit(two);
      if (first !== undefined) await queue.leave(first.entry);
      expect(await admit(two)).toMatchObject({ admitted: 0, active: 1 });
    });

    it('counts admissions from before it was set, tightened or lengthened', async () => {
      const { joinAll, admit, passes } = line();
      await joinAll(8);
      await admit({ activeMax: 3 });
      expect(await admit({ activeMax: 0, admitPerWindow: 3 })).toMatchObject({ admitted: 0 });
      expect(await admit({ activeMax: 0, admitPerWindow: 4 })).toMatchObject({ admitted: 1 });
      await passes(WINDOW_MS / 2);
      const short = { activeMax: 0, admitPerWindow: 2, windowSeconds: 5 };
      expect(await admit(short)).toMatchObject({ admitted: 2 });
      expect(await admit({ ...two, admitPerWindow: 6 })).toMatchObject({ admitted: 0 });
      expect(await admit({ ...two, admitPerWindow: 7 })).toMatchObject({ admitted: 1, waiting: 1 });
    });

    it('holds together with the limit of active entries: the tighter one decides', async () => {
      const { joinAll, admit, passes } = line();
      await joinAll(8);
      expect(await admit({ activeMax: 2, admitPerWindow: 3 })).toMatchObject({ admitted: 2 });
      expect(await admit({ activeMax: 5, admitPerWindow: 3 })).toMatchObject({ admitted: 1, active: 3 });
      await passes(WINDOW_MS + 100);
      expect(await admit({ activeMax: 5, admitPerWindow: 3 })).toMatchObject({ admitted: 2, active: 5 });
      expect(await admit({ activeMax: 0, admitPerWindow: 3 })).toMatchObject({ admitted: 1, active: 6 });
    });

    it('is off at 0, as is the limit of active entries', async () => {
      const { joinAll, admit } = line();
      await joinAll(9);
      expect(await admit({ activeMax: 4, admitPerWindow: 0 })).toMatchObject({ admitted: 4 });
      expect(await admit({ activeMax: 0, admitPerWindow: 6 })).toMatchObject({ admitted: 2 });
    });
  });

  describe('a concert that was sold out', () => {
    const few = { activeMax: 100, seatsLeft: { available: 1, held: 2 } };
    const none = { activeMax: 100, paused: true, seatsLeft: { available: 0, held: 3 } };

    it('has a few active entries per seat that comes back, and not before', async () => {
      const { joinAll, admit } = line();
      await joinAll(20);
      expect(await admit({ ...few, activeMax: 1 })).toMatchObject({ admitted: 1 });
      await admit(none);
      expect(await admit(few)).toMatchObject({ admitted: 3 * 1 + 2 - 1, active: 5 });
      expect(await admit(few)).toMatchObject({ admitted: 0, active: 5 });
      expect(await admit({ ...few, seatsLeft: { available: 2, held: 2 } })).toMatchObject({ admitted: 3, active: 8 });
    });

    it('admits all that its policy allows, as long as it never was', async () => {
      const { joinAll, admit } = line();
      await joinAll(20);
      expect(await admit(few)).toMatchObject({ admitted: 20 });
    });
  });

  describe('a paused queue', () => {
    it('admits nobody, accepts joins, keeps sessions, and resumes where it was', async () => {
      const { join, joinAll, admit, statuses, passes } = line();
      const all = await joinAll(3);
      await admit(1);
      const late = await join();
      expect(late.state).toMatchObject({ status: 'WAITING', position: 3 });
      expect(await admit({ paused: true })).toMatchObject({ admitted: 0, active: 1, waiting: 3 });
      await passes(SESSION_MS + 1);
      expect(await admit({ paused: true })).toMatchObject({ admitted: 0, expired: 1, active: 0, waiting: 3 });
      expect(await admit(2)).toMatchObject({ admitted: 2 });
      expect(await statuses([...all, late])).toEqual(['EXPIRED', 'ACTIVE', 'ACTIVE', 'WAITING']);
    });

    it('passes no entry over', async () => {
      const { joinAll, admit, positions, passes } = line();
      const all = await joinAll(2);
      await passes(ABSENT_MS);
      expect(await admit({ paused: true })).toMatchObject({ passedOver: 0, waiting: 2 });
      expect(await positions(all)).toEqual([1, 2]);
    });
  });

  describe('an unclaimed session', () => {
    const one = { activeMax: 1, claimSeconds: CLAIM_SECONDS };

    it('goes to the next entry', async () => {
      const { joinAll, admit, statuses, passes } = line();
      const all = await joinAll(2);
      await admit(one);
      await passes(CLAIM_SECONDS * 1_000 - SLACK_MS);
      expect(await admit(one)).toMatchObject({ expired: 0, admitted: 0 });
      await passes(SLACK_MS + 1);
      expect(await admit(one)).toMatchObject({ expired: 1, admitted: 1, active: 1 });
      expect(await statuses(all)).toEqual(['EXPIRED', 'ACTIVE']);
    });

    it('expires in time, whether or not it was removed', async () => {
      const { joinAll, join, admit, find, passes } = line();
      const [first] = await joinAll(1);
      if (first === undefined) throw new RangeError();
      await admit(one);
      await passes(CLAIM_SECONDS * 1_000 + 1);
      expect(await find(first)).toEqual({ status: 'EXPIRED' });
      expect(await join(first.entry.userId)).toMatchObject({ entry: { sequence: 2 }, fresh: true });
    });

    it('is claimed by polling, joining again, using or extending it, and then lasts as long as the policy says', async () => {
      const { queue, joinAll, join, admit, find, statuses, passes } = line();
      const all = await joinAll(5);
      const [polls, joins, uses, extended] = all as [Joined, Joined, Joined, Joined];
      await admit({ ...one, activeMax: 5 });
      const until = [await find(polls), (await join(joins.entry.userId)).state, await queue.keepOpen(uses.entry)];
      for (const state of until) {
        if (state.status !== 'ACTIVE') throw new RangeError();
        expect(state.expiresAt.getTime()).toBeGreaterThanOrEqual(polls.entry.joinedAt.getTime() + SESSION_MS);
      }
      await queue.extend(extended.entry, 1);
      await passes(SESSION_MS - SLACK_MS);
      expect(await admit({ ...one, activeMax: 5 })).toMatchObject({ expired: 1, active: 4 });
      expect(await statuses(all)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'EXPIRED']);
    });

    it('lasts no longer than a session does', async () => {
      const { joinAll, admit, passes } = line();
      await joinAll(1);
      await admit({ ...one, claimSeconds: 10 * SESSION_SECONDS });
      await passes(SESSION_MS + 1);
      expect(await admit(one)).toMatchObject({ expired: 1 });
    });
  });

  describe('an entry that stops polling', () => {
    it('is passed over at the head, and the others keep their order', async () => {
      const { joinAndLoseFirst, admit, statuses } = line();
      const [, ...others] = await joinAndLoseFirst(4);
      expect(await admit(2)).toEqual({ admitted: 2, expired: 0, passedOver: 1, active: 2, waiting: 1 });
      expect(await statuses(others)).toEqual(['ACTIVE', 'ACTIVE', 'WAITING']);
    });

    it('is not passed over before it reaches the head, nor before the time is up, nor while polling', async () => {
      const { joinAll, join, admit, find, passes, positions } = line();
      const [first, second] = (await joinAll(3)) as [Joined, Joined, Joined];
      await passes(ABSENT_SECONDS * 1_000 - SLACK_MS);
      expect(await admit(1)).toMatchObject({ admitted: 1, passedOver: 0 });
      await find(second);
      await passes(2 * SLACK_MS);
      // The last one is absent by now, but not at the head.
      expect(await admit(2)).toMatchObject({ admitted: 1, passedOver: 0, waiting: 1 });
      await passes(ABSENT_MS);
      const again = await join();
      await passes(ABSENT_SECONDS * 1_000 - SLACK_MS);
      await join(again.entry.userId);
      await passes(2 * SLACK_MS);
      expect(await admit(1)).toMatchObject({ passedOver: 1, admitted: 1, expired: 2 });
      expect(await positions([first, again])).toEqual(['EXPIRED', 'ACTIVE']);
    });

    it('is kept for the grace time: on polling again it is next, and no position rises', async () => {
      const { joinAndLoseFirst, admit, find, statuses, positions } = line();
      const [lost, ...others] = await joinAndLoseFirst(4);
      await admit(1);
      const before = await positions(others);
      expect(await find(lost)).toMatchObject({ status: 'WAITING', position: 1 });
      expect(await positions(others)).toEqual(before);
      expect(await admit(2)).toMatchObject({ admitted: 1 });
      expect(await statuses([lost, ...others])).toEqual(['ACTIVE', 'ACTIVE', 'WAITING', 'WAITING']);
    });

    it('rejoins by joining again, too, with the same sequence', async () => {
      const { joinAndLoseFirst, join, admit } = line();
      const [lost] = await joinAndLoseFirst(2);
      await admit(1);
      const again = await join(lost.entry.userId, 0);
      expect(again).toMatchObject({ entry: lost.entry, state: { status: 'WAITING', position: 1 }, fresh: false });
    });

    it('is admitted by number among rejoined entries, whose positions do not rise', async () => {
      const { joinAll, join, admit, find, positions, statuses, passes } = line();
      const lost = await joinAll(3);
      await passes(ABSENT_MS);
      const present = await join();
      expect(await admit(1)).toMatchObject({ passedOver: 3, admitted: 1 });
      const [first, second, third] = lost as [Joined, Joined, Joined];
      for (const joined of [third, first, second]) {
        await find(joined);
        expect(await positions([third])).toEqual([1]);
      }
      await admit(2);
      expect(await statuses([present, ...lost])).toEqual(['ACTIVE', 'ACTIVE', 'WAITING', 'WAITING']);
      await admit(3);
      expect(await statuses(lost)).toEqual(['ACTIVE', 'ACTIVE', 'WAITING']);
    });

    it('is passed over again if it rejoins and stops polling again', async () => {
      const { joinAndLoseFirst, admit, find, passes, statuses } = line();
      const [lost, other, last] = (await joinAndLoseFirst(3)) as [Joined, Joined, Joined];
      await admit(1);
      await find(lost);
      await passes(ABSENT_MS);
      await find(last);
      expect(await admit({ activeMax: 1 })).toMatchObject({ passedOver: 1, admitted: 1, expired: 1 });
      expect(await statuses([other, last])).toEqual(['EXPIRED', 'ACTIVE']);
      expect(await find(lost)).toMatchObject({ status: 'WAITING', position: 1 });
    });

    it('ends once the grace time is over: joining again goes to the end', async () => {
      const { queue, joinAndLoseFirst, join, admit, find, passes, concert } = line();
      const [lost] = await joinAndLoseFirst(3);
      await admit(1);
      expect(await queue.read(concert)).toMatchObject({ absent: 1 });
      await passes(GRACE_MS);
      await admit({ paused: true });
      expect(await queue.read(concert)).toMatchObject({ absent: 0 });
      expect(await find(lost)).toEqual({ status: 'EXPIRED' });
      expect(await join(lost.entry.userId)).toMatchObject({ entry: { sequence: 4 }, fresh: true });
    });

    it('ends at once without a grace time', async () => {
      const { joinAndLoseFirst, admit, find } = line();
      const [lost] = await joinAndLoseFirst(2);
      await admit({ graceSeconds: 0 });
      expect(await find(lost)).toEqual({ status: 'EXPIRED' });
    });

    it('can leave while absent, and once rejoined', async () => {
      const { queue, joinAll, join, admit, find, statuses, passes, concert } = line();
      const lost = (await joinAll(2)) as [Joined, Joined];
      await passes(ABSENT_MS);
      const present = await join();
      await admit(1);
      await find(lost[1]);
      for (const { entry } of lost) await queue.leave(entry);
      expect(await statuses(lost)).toEqual(['EXPIRED', 'EXPIRED']);
      expect(await queue.read(concert)).toMatchObject({ waiting: 0, absent: 0, active: 1 });
      expect(await admit(3)).toMatchObject({ admitted: 0, active: 1 });
      expect(await find(present)).toMatchObject({ status: 'ACTIVE' });
    });

    it('counts for the limit of waiting entries once rejoined, and not while absent', async () => {
      const { joinAndLoseFirst, join, someone, admit, find } = line();
      const [lost] = await joinAndLoseFirst(3);
      await admit(1);
      await join(someone(), 2);
      await find(lost);
      await expectRefusal(join(someone(), 3), 'queue-full');
    });
  });

  describe('the figures', () => {
    it('count waiting, active and absent entries, and the sequences drawn', async () => {
      const { queue, concert, joinAndLoseFirst, admit, find, passes } = line();
      expect(await queue.read(concert)).toEqual({ ...NOBODY, head: 1 });
      const [lost] = await joinAndLoseFirst(5);
      await admit(2);
      expect(await queue.read(concert)).toEqual({
        ...NOBODY,
        waiting: 2,
        active: 2,
        absent: 1,
        drawn: 5,
        head: 4,
        // A memory without last-seen samples takes all for present.
        presentShare: expect.any(Number),
      });
      await find(lost);
      expect(await queue.read(concert)).toMatchObject({ waiting: 3, absent: 0 });
      await passes(SESSION_MS + 1);
      expect(await queue.read(concert)).toMatchObject({ active: 0, drawn: 5 });
      await admit({ paused: true });
      const { turnover } = await queue.read(concert);
      expect(turnover).toBeGreaterThan(0);
      expect(turnover).toBeLessThanOrEqual(2);
      await passes(15 * 60_000);
      expect((await queue.read(concert)).turnover).toBeLessThan(turnover / 1_000);
    });
  });

  describe('a session', () => {
    it('lasts as long as the policy says', async () => {
      const { letIn, find, passes } = line();
      const joined = await letIn();
      const state = await find(joined);
      if (state.status !== 'ACTIVE') throw new RangeError();
      const lasts = state.expiresAt.getTime() - joined.entry.joinedAt.getTime();
      expect(lasts).toBeGreaterThanOrEqual(SESSION_MS);
      expect(lasts).toBeLessThan(SESSION_MS + SLACK_MS);
      await passes(SESSION_MS - SLACK_MS);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
      await passes(SLACK_MS + 1);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('expires in time, whether or not it was removed: the user can join again', async () => {
      const { letIn, join, find, passes } = line();
      const old = await letIn();
      await passes(SESSION_MS + 1);
      const anew = await join(old.entry.userId);
      expect(anew).toMatchObject({ entry: { sequence: 2 }, state: { status: 'WAITING', position: 1 }, fresh: true });
      expect(await find(old)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('a queue that opens by lottery', () => {
    function registration() {
      const { concert, someone, queue, ...rest } = line();
      const register = (user = someone()) => queue.join(concert, user, { waitingMax: EVERYBODY, opening: 'lottery' });
      async function registerAll(count: number): Promise<Joined[]> {
        const all: Joined[] = [];
        for (let joined = 0; joined < count; joined++) all.push(await register());
        return all;
      }
      return { ...rest, queue, register, registerAll, draw: () => queue.drawLots(concert), concert };
    }
    const nowhere = { status: 'WAITING', position: undefined };

    it('gives no positions and admits nobody before lots are drawn', async () => {
      const { registerAll, register, find, admit, queue, concert } = registration();
      const [first, second] = await registerAll(2);
      if (first === undefined || second === undefined) throw new RangeError();
      expect([first.state, second.state]).toMatchObject([nowhere, nowhere]);
      expect([first.entry.sequence, second.entry.sequence]).toEqual([1, 2]);
      expect(await register(first.entry.userId)).toEqual({ ...first, fresh: false });
      expect(await find(second)).toMatchObject(nowhere);
      expect((await admit(EVERYBODY)).admitted).toBe(0);
      expect(await queue.read(concert)).toMatchObject({ registered: 2, waiting: 0, drawn: 2 });
    });

    it('gives registered entries positions by lot, and later entries those behind', async () => {
      const { registerAll, register, draw, positions, find, join } = registration();
      const early = await registerAll(30);
      await draw();
      const late = [await register(), await join()];
      const drawn = (await positions(early)) as number[];
      expect([...drawn].sort((a, b) => a - b)).toEqual(early.map((_, index) => index + 1));
      expect(drawn).not.toEqual(early.map((_, index) => index + 1));
      expect(await positions(late)).toEqual([31, 32]);
      expect(late.map(({ fresh, entry }) => [fresh, entry.sequence])).toEqual([
        [true, 31],
        [true, 32],
      ]);
      for (const [index, registered] of early.entries()) {
        expect(await join(registered.entry.userId)).toEqual({
          ...registered,
          state: await find(registered),
          fresh: false,
        });
        expect(await find(registered)).toMatchObject({ position: drawn[index] });
      }
    });

    it('draws once, however often and however many draw at once', async () => {
      const { registerAll, register, draw, positions } = registration();
      const all = await registerAll(10);
      await Promise.all([draw(), draw(), draw()]);
      const drawn = await positions(all);
      all.push(await register());
      await draw();
      expect(await positions(all)).toEqual([...drawn, 11]);
    });

    it('admits entries in the order of the lots', async () => {
      const { registerAll, draw, positions, admit, statuses } = registration();
      const all = await registerAll(6);
      await draw();
      const drawn = (await positions(all)) as number[];
      await admit(2);
      expect(await statuses(all)).toEqual(drawn.map((position) => (position <= 2 ? 'ACTIVE' : 'WAITING')));
    });

    it('draws no lot for those who left before, and lets them register again', async () => {
      const { registerAll, register, draw, find, positions, queue } = registration();
      const [left, ...others] = await registerAll(6);
      if (left === undefined) throw new RangeError();
      await queue.leave(left.entry);
      expect(await find(left)).toEqual({ status: 'EXPIRED' });
      const again = await register(left.entry.userId);
      expect(again).toMatchObject({ fresh: true, entry: { sequence: 7 } });
      await draw();
      expect(await find(left)).toEqual({ status: 'EXPIRED' });
      const drawn = (await positions([...others, again])) as number[];
      expect(drawn.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('can be left after the draw, by the sequence of the registration', async () => {
      const { registerAll, draw, find, positions, queue } = registration();
      const all = await registerAll(5);
      await draw();
      const drawn = (await positions(all)) as number[];
      const first = all[drawn.indexOf(1)];
      if (first === undefined) throw new RangeError();
      await queue.leave(first.entry);
      expect(await find(first)).toEqual({ status: 'EXPIRED' });
      const others = all.filter((one) => one !== first);
      expect(await positions(others)).toEqual(
        drawn.filter((position) => position !== 1).map((position) => position - 1),
      );
    });

    it('draws no lots if nobody registered', async () => {
      const { joinAll, draw, positions } = registration();
      const all = await joinAll(3);
      await draw();
      expect(await positions(all)).toEqual([1, 2, 3]);
    });
  });

  describe('the log', () => {
    it('tells what happened to entries, in order, until that is acknowledged', async () => {
      const { queue, concert, joinAndLoseFirst, admit, find, passes } = line();
      const [lost, second, third, fourth] = await joinAndLoseFirst(4);
      await admit(1);
      if (second === undefined || third === undefined || fourth === undefined) throw new RangeError();
      await queue.leave(third.entry);
      await find(lost);
      const events = await queue.takeEvents(concert, EVERYBODY);
      const told = events.map(({ kind, sequence }) => [kind, sequence]);
      expect(told).toHaveLength(4);
      expect(told.slice(0, 2)).toEqual(
        expect.arrayContaining([
          ['passed-over', 1],
          ['admitted', 2],
        ]),
      );
      expect(told.slice(2)).toEqual([
        ['left', 3],
        ['returned', 1],
      ]);
      expect(events.map(({ joinedAt }) => joinedAt)).toContainEqual(second.entry.joinedAt);
      expect(events.every(({ order, sequence }) => order === sequence)).toBe(true);

      await queue.ackEvents(concert, events.at(-1) as (typeof events)[number]);
      expect(await queue.takeEvents(concert, EVERYBODY)).toEqual([]);
      await passes(ABSENT_MS);
      await find(fourth);
      await admit({ activeMax: 1 });
      await passes(GRACE_MS);
      await admit({ paused: true });
      const later = await queue.takeEvents(concert, EVERYBODY);
      // In one step of admission, in no order.
      expect(later.map(({ kind, sequence }) => [kind, sequence]).sort()).toEqual([
        ['admitted', 4],
        ['ended', 2],
        ['ended', 4],
        ['forgotten', 1],
        ['passed-over', 1],
      ]);
    });

    it('tells the end of each session once: left, expired, not claimed, or replaced by a new entry', async () => {
      const { queue, concert, join, joinAll, admit, find, passes } = line();
      const [leaver, claimer, absent, again] = await joinAll(4);
      if (leaver === undefined || claimer === undefined || absent === undefined || again === undefined) {
        throw new RangeError();
      }
      await admit({ claimSeconds: CLAIM_SECONDS });
      await Promise.all([find(leaver), find(claimer), find(again)]);
      await queue.leave(leaver.entry);
      await queue.leave(leaver.entry);
      await passes(CLAIM_SECONDS * 1_000 + SLACK_MS);
      await admit({ paused: true });
      await passes(SESSION_MS);
      await join(again.entry.userId);
      await admit({ paused: true });
      await admit({ paused: true });
      const events = await queue.takeEvents(concert, EVERYBODY);
      const ended = events.filter(({ kind }) => kind === 'ended').map(({ sequence }) => sequence);
      expect(ended).toEqual([1, 3, 4, 2]);
      expect(events).toHaveLength(4 + ended.length);
    });
  });

  describe('watching', () => {
    it('is told of every move, until it ends', async () => {
      const { queue, concert, join, admit } = line();
      let moves = 0;
      await join();
      const end = queue.watch(concert, () => {
        moves += 1;
      });
      await admit(1);
      await vi.waitFor(() => expect(moves).toBeGreaterThan(0));
      end();
      const heard = moves;
      await join();
      await admit(2);
      await queue.refresh();
      expect(moves).toBe(heard);
    });
  });

  describe('finding for a command', () => {
    it('answers as for a poll', async () => {
      const { queue, join, letIn, find } = line();
      const inside = await letIn();
      const waiting = await join();
      for (const joined of [inside, waiting]) {
        const found = await find(joined);
        expect(await queue.keepOpen(joined.entry)).toMatchObject({ status: found.status });
      }
      expect(await queue.keepOpen({ ...inside.entry, sequence: 99 })).toEqual({ status: 'EXPIRED' });
    });

    it('keeps a session open for a command under way at its end', async () => {
      const { queue, letIn, find, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS - SETTLED_MS / 2);
      await queue.keepOpen(joined.entry);
      await passes(SETTLED_MS / 2 + 1);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
    });

    it('cannot keep a session open forever', async () => {
      const { queue, letIn, find, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS - SLACK_MS);
      for (let seconds = 0; seconds < SESSION_SECONDS; seconds++) {
        await queue.keepOpen(joined.entry);
        await passes(1_000);
      }
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('neither revives an ended session nor shortens a running one', async () => {
      const { queue, letIn, find, passes } = line();
      const joined = await letIn();
      const before = await find(joined);
      await queue.keepOpen(joined.entry);
      expect(await find(joined)).toEqual(before);
      await passes(SESSION_MS + 1);
      expect(await queue.keepOpen(joined.entry)).toEqual({ status: 'EXPIRED' });
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('extending', () => {
    it('makes a session last at least that long from now', async () => {
      const { queue, letIn, find, passes } = line();
      const joined = await letIn();
      await queue.extend(joined.entry, 3 * SESSION_MS);
      await passes(3 * SESSION_MS - SLACK_MS);
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
      await passes(SLACK_MS + 1);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('lasts at most the longest hold beyond its granted end, however often it is extended', async () => {
      const { queue, letIn, find, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS - SLACK_MS);
      for (let times = 0; times < 3; times++) {
        await queue.extend(joined.entry, HOLD_SECONDS * 1_000);
        await passes((HOLD_SECONDS * 1_000) / 3);
      }
      expect(await find(joined)).toMatchObject({ status: 'ACTIVE' });
      await queue.extend(joined.entry, HOLD_SECONDS * 1_000);
      await passes(SLACK_MS + SESSION_MARGIN_MS + 1);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });

    it('never shortens it', async () => {
      const { queue, letIn, find } = line();
      const joined = await letIn();
      const before = await find(joined);
      await queue.extend(joined.entry, 1_000);
      expect(await find(joined)).toEqual(before);
    });

    it('keeps an extended session through the next admission', async () => {
      const { queue, letIn, admit, passes } = line();
      const joined = await letIn();
      await queue.extend(joined.entry, 3 * SESSION_MS);
      await passes(2 * SESSION_MS);
      expect(await admit(1)).toMatchObject({ expired: 0, active: 1 });
    });

    it('does nothing for a waiting entry', async () => {
      const { queue, join, find } = line();
      const joined = await join();
      await queue.extend(joined.entry, SESSION_MS);
      expect(await find(joined)).toMatchObject({ status: 'WAITING', position: 1 });
    });

    it('does nothing for an expired session, whether or not it was removed', async () => {
      const { queue, letIn, find, admit, passes } = line();
      const joined = await letIn();
      await passes(SESSION_MS + 1);
      await queue.extend(joined.entry, SESSION_MS);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
      await admit(1);
      await queue.extend(joined.entry, SESSION_MS);
      expect(await find(joined)).toEqual({ status: 'EXPIRED' });
    });
  });

  describe('the turnover', () => {
    it('is measured from ended sessions, and fades', async () => {
      const { queue, joinAll, join, admit, find, passes } = line();
      const all = await joinAll(4);
      await admit(4);
      const waiting = await join();
      expect(await find(waiting)).toMatchObject({ turnover: 0 });
      for (const { entry } of all.slice(0, 3)) await queue.leave(entry);
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
