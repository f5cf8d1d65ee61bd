import { describe, expect, it, vi } from 'vitest';
import type { AdmissionPolicy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { HOUR_MS } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';
import { changePolicy } from '#use-cases/catalog/change-policy.ts';
import { admitWaiting } from '#use-cases/queue/admit-waiting.ts';
import { joinQueue } from '#use-cases/queue/join-queue.ts';
import { leaveQueue } from '#use-cases/queue/leave-queue.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import { showQueue } from '#use-cases/queue/show-queue.ts';

const UNKNOWN = concertId('01939c5e-0000-7000-8000-00000000dead');

describe('joining', () => {
  it('returns an entry at the end of the queue', async () => {
    const { ports, stage, user } = memoryWorld();
    const { concertId } = stage({ policy: { activeMax: 1, sessionSeconds: 600 } });
    await joinQueue(ports, { concertId, userId: await user() });
    const userId = await user();
    const { queueStatus, fresh } = await joinQueue(ports, { concertId, userId });
    expect(fresh).toBe(true);
    expect(queueStatus).toMatchObject({
      status: 'WAITING',
      position: 2,
      aheadCount: 1,
      pollAfterSeconds: 60,
      entry: { userId, concertId, sequence: 2 },
    });
  });

  it('again returns the same entry, waiting and active', async () => {
    const { ports, stage, user } = memoryWorld();
    const { concertId } = stage();
    const input = { concertId, userId: await user() };
    const first = await joinQueue(ports, input);
    const second = await joinQueue(ports, input);
    expect(second).toEqual({ ...first, fresh: false });
    await admitWaiting(ports);
    const third = await joinQueue(ports, input);
    expect(third).toMatchObject({ queueStatus: { entry: first.queueStatus.entry, status: 'ACTIVE' }, fresh: false });
  });

  it('is refused for an unknown concert, before sales open and after they closed', async () => {
    const { ports, stage, user, clock } = memoryWorld();
    const { concertId, salesOpenAt } = stage({
      opensInMs: HOUR_MS,
      dates: [{ startsInMs: 2 * HOUR_MS, prices: [1] }],
    });
    const userId = await user();
    await expectRefusal(joinQueue(ports, { concertId: UNKNOWN, userId }), 'concert-not-found');
    await expectRefusal(joinQueue(ports, { concertId, userId }), 'sales-not-open', { opensAt: salesOpenAt });
    clock.advance(HOUR_MS);
    await expect(joinQueue(ports, { concertId, userId })).resolves.toMatchObject({ fresh: true });
    clock.advance(HOUR_MS);
    await expectRefusal(joinQueue(ports, { concertId, userId }), 'sales-closed');
  });

  it('is refused when the queue is full', async () => {
    const { ports, stage, user } = memoryWorld();
    const { concertId } = stage({ policy: { waitingMax: 1 } });
    await joinQueue(ports, { concertId, userId: await user() });
    await expectRefusal(joinQueue(ports, { concertId, userId: await user() }), 'queue-full');
  });
});

describe('polling', () => {
  it('returns the state of the entry: waiting, active and ended', async () => {
    const { ports, stage, fan, clock } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1, sessionSeconds: 60 } });
    const [first, second] = [await fan(concert), await fan(concert)];
    expect(await pollQueue(ports, first)).toMatchObject({ entry: first, status: 'ACTIVE' });
    expect(await pollQueue(ports, second)).toMatchObject({ entry: second, status: 'WAITING', position: 1 });
    clock.advance(60_000);
    expect(await pollQueue(ports, first)).toMatchObject({ status: 'EXPIRED' });
  });

  it('is refused for an unknown concert', async () => {
    const { ports, stage, fan } = memoryWorld();
    const entry = await fan(stage());
    await expectRefusal(pollQueue(ports, { ...entry, concertId: UNKNOWN }), 'concert-not-found');
  });
});

describe('showing the queue', () => {
  it('returns the waiting entries, the pace, the seats, and the estimate for the last entry', async () => {
    const { ports, stage, fan, clock } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1, sessionSeconds: 60 } });
    const [first] = [await fan(concert), await fan(concert), await fan(concert)];
    clock.advance(1_000);
    await leaveQueue(ports, first);
    const shown = await showQueue(ports, concert.concertId);
    expect(shown).toMatchObject({
      state: 'OPEN',
      figures: { waiting: 1, active: 1, drawn: 3, head: 3 },
      seatsLeft: { available: 5, held: 0 },
    });
    expect(shown.tailEta?.p50).toBeGreaterThan(0);
    expect(shown.tailEta?.p90).toBeGreaterThan(shown.tailEta?.p50 ?? 0);
  });

  it('returns an estimate for an empty queue, and none while nobody is admitted', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1, sessionSeconds: 60 } });
    await leaveQueue(ports, await fan(concert));
    expect((await showQueue(ports, concert.concertId)).tailEta?.p50).toBeGreaterThan(0);
    await changePolicy(ports, { concertId: concert.concertId, change: { paused: true } });
    expect(await showQueue(ports, concert.concertId)).toMatchObject({ state: 'PAUSED', tailEta: undefined });
  });

  it('does not read a queue before sales open and after they close', async () => {
    const { ports, stage, clock } = memoryWorld();
    const { concertId } = stage({ opensInMs: HOUR_MS, dates: [{ startsInMs: 2 * HOUR_MS, prices: [1] }] });
    const watched = failingPorts(ports, []);
    const states = [await showQueue(watched.ports, concertId)];
    clock.advance(2 * HOUR_MS);
    states.push(await showQueue(watched.ports, concertId));
    expect(states.map(({ state }) => state)).toEqual(['UPCOMING', 'CLOSED']);
    expect(states.map(({ figures }) => figures.waiting)).toEqual([0, 0]);
    expect(watched.calls.filter((call) => call.startsWith('queue'))).toEqual([]);
    await expectRefusal(showQueue(watched.ports, UNKNOWN), 'concert-not-found');
  });
});

describe('leaving', () => {
  it('ends the entry and admits the next one at once', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const [first, second] = [await fan(concert), await fan(concert)];
    await leaveQueue(ports, first);
    expect(await pollQueue(ports, first)).toMatchObject({ status: 'EXPIRED' });
    expect(await pollQueue(ports, second)).toMatchObject({ status: 'ACTIVE' });
  });

  it('releases the holds, so that no hold outlasts the session that can pay for it', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const first = await fan(concert);
    const date = concert.dates[0]?.date ?? concertDate('');
    const held = (seatNumber: number) => {
      const request = { userId: first.userId, key: `seat ${seatNumber}`, fingerprint: '' };
      return reserveSeats(ports, { entry: first, date, seatNumbers: [seatNumber], request });
    };
    const { answer } = await held(1);
    await leaveQueue(ports, first);
    // It is not waited for, so it is looked for.
    await vi.waitFor(async () => {
      const reservation = await ports.boxOffice.findReservation(first.userId, answer.reservationId);
      expect(reservation).toMatchObject({ status: 'CANCELLED' });
    });
    const next = await fan(concert);
    const request = { userId: next.userId, key: 'the same seat', fingerprint: '' };
    expect(await reserveSeats(ports, { entry: next, date, seatNumbers: [1], request })).toMatchObject({
      answer: { status: 'HELD' },
    });
  });

  it('with an entry that was left before leaves the holds of a later session alone', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const { concertId, dates } = concert;
    const first = await fan(concert);
    await leaveQueue(ports, first);
    const { queueStatus } = await joinQueue(ports, { concertId, userId: first.userId });
    await admitWaiting(ports);
    const request = { userId: first.userId, key: 'later', fingerprint: '' };
    const date = dates[0]?.date ?? concertDate('');
    const { answer } = await reserveSeats(ports, { entry: queueStatus.entry, date, seatNumbers: [1], request });
    const watched = failingPorts(ports, []);
    await leaveQueue(watched.ports, first);
    expect(watched.calls.filter((call) => call.startsWith('boxOffice'))).toEqual([]);
    expect(await ports.boxOffice.findReservation(first.userId, answer.reservationId)).toMatchObject({ status: 'HELD' });
  });

  it('while waiting moves the entries behind it up', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    await fan(concert);
    const [second, third] = [await fan(concert), await fan(concert)];
    await leaveQueue(ports, second);
    expect(await pollQueue(ports, third)).toMatchObject({ status: 'WAITING', position: 1 });
  });

  it('is harmless when repeated, and refused for an unknown concert', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const [first, , third] = [await fan(concert), await fan(concert), await fan(concert)];
    await leaveQueue(ports, first);
    await leaveQueue(ports, first);
    expect(await pollQueue(ports, third)).toMatchObject({ status: 'WAITING', position: 1 });
    await expectRefusal(leaveQueue(ports, { ...first, concertId: UNKNOWN }), 'concert-not-found');
  });
});

describe('admission', () => {
  it('admits the next entries, in order, at every concert on sale, and none beyond the limit', async () => {
    const { ports, stage, user } = memoryWorld();
    const concerts = [stage({ policy: { activeMax: 2 } }), stage({ policy: { activeMax: 1 } })];
    const closed = stage({ opensInMs: HOUR_MS });
    const joins: QueueEntry[] = [];
    for (const { concertId } of [...concerts, closed]) {
      for (let joined = 0; joined < 3; joined++) {
        joins.push((await ports.queue.join(concertId, await user(), { waitingMax: 9, opening: 'fifo' })).entry);
      }
    }
    const admissions = await admitWaiting(ports);
    expect(admissions.map(({ admitted }) => admitted)).toEqual([2, 1]);
    const statuses = await Promise.all(joins.map(async (entry) => (await pollQueue(ports, entry)).status));
    expect(statuses.join(' ')).toBe('ACTIVE ACTIVE WAITING ACTIVE WAITING WAITING WAITING WAITING WAITING');
  });

  it('serves the other concerts when it fails at one, reports a bug, and fails only if it fails at all concerts', async () => {
    const { ports, stage, user } = memoryWorld();
    const [broken, other] = [stage(), stage()];
    for (const { concertId } of [broken, other]) {
      await ports.queue.join(concertId, await user(), { waitingMax: 9, opening: 'fifo' });
    }
    const reported: unknown[] = [];
    const failing = (failure: Error, ids: readonly ConcertId[]) => ({
      ...ports,
      reportError: (error: unknown) => void reported.push(error),
      queue: {
        ...ports.queue,
        admit: async (id: ConcertId, policy: AdmissionPolicy) => {
          if (ids.includes(id)) throw failure;
          return ports.queue.admit(id, policy);
        },
      },
    });
    const [unavailable, bug] = [new Refusal('unavailable', { retryAfterSeconds: 1 }), new Error('a bug')];
    expect(await admitWaiting(failing(unavailable, [broken.concertId]))).toMatchObject([{ admitted: 1 }]);
    expect(reported).toEqual([]);
    expect(await admitWaiting(failing(bug, [broken.concertId]))).toHaveLength(1);
    expect(reported).toEqual([bug]);
    const all = [broken.concertId, other.concertId];
    await expectRefusal(admitWaiting(failing(unavailable, all)), 'unavailable');
  });

  it('admits nobody at the limit, and the next entry when a session has expired', async () => {
    const { ports, stage, fan, clock } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1, sessionSeconds: 60 } });
    await fan(concert);
    const next = await fan(concert);
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 0, expired: 0, active: 1, waiting: 1 }]);
    clock.advance(60_000);
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 1, expired: 1, active: 1, waiting: 0 }]);
    expect(await pollQueue(ports, next)).toMatchObject({ status: 'ACTIVE' });
  });

  it('admits nobody before the queue opens, though users may join; then as many as fit', async () => {
    const { ports, stage, user, clock } = memoryWorld();
    const opensAt = new Date(clock.now() + HOUR_MS);
    const { concertId } = stage({ policy: { opensAt } });
    for (let joined = 0; joined < 3; joined++) await joinQueue(ports, { concertId, userId: await user() });
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 0, waiting: 3 }]);
    clock.advance(HOUR_MS - 1);
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 0, waiting: 3 }]);
    clock.advance(1);
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 2, waiting: 1 }]);
  });

  it('admits nobody while no seat is available, and resumes when one is free again', async () => {
    const { ports, stage, fan, user, clock } = memoryWorld();
    const concert = stage({
      policy: { activeMax: 2, sessionSeconds: 60, holdSeconds: 300 },
      dates: [{ startsInMs: HOUR_MS, prices: [1] }],
    });
    const { concertId, dates } = concert;
    const entry = await fan(concert);
    const request = { userId: entry.userId, key: 'reserve', fingerprint: '' };
    await reserveSeats(ports, { entry, date: dates[0]?.date ?? concertDate(''), seatNumbers: [1], request });
    await joinQueue(ports, { concertId, userId: await user() });
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 0, active: 1, waiting: 1 }]);
    clock.advance(300_000);
    expect(await admitWaiting(ports)).toMatchObject([{ admitted: 1, waiting: 0 }]);
  });

  it('follows the same rules when a user leaves or a policy changes', async () => {
    const { ports, stage, user, clock } = memoryWorld();
    const { concertId } = stage({ policy: { opensAt: new Date(clock.now() + HOUR_MS) } });
    const input = { concertId, userId: await user() };
    const { queueStatus } = await joinQueue(ports, input);
    const { queueStatus: next } = await joinQueue(ports, { concertId, userId: await user() });
    await leaveQueue(ports, queueStatus.entry);
    await changePolicy(ports, { concertId, change: { activeMax: 9 } });
    expect(await pollQueue(ports, next.entry)).toMatchObject({ status: 'WAITING', position: 1 });
    await changePolicy(ports, { concertId, change: { opensAt: null } });
    expect(await pollQueue(ports, next.entry)).toMatchObject({ status: 'ACTIVE' });
  });
});
