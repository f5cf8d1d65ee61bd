import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { changePolicy } from '#use-cases/catalog/change-policy.ts';
import { createConcert } from '#use-cases/catalog/create-concert.ts';
import { admitWaiting } from '#use-cases/queue/admit-waiting.ts';
import { readQueue } from '#use-cases/queue/read-queue.ts';

const nowhere = () => concertId(newId());

describe('putting a concert on sale', () => {
  it('creates a new id each time', async () => {
    const { ports } = memoryWorld();
    const plan = {
      title: 'A new one',
      venue: 'A hall',
      currency: 'KRW',
      salesOpenAt: new Date(0),
      dates: [
        {
          date: concertDate('2099-05-01'),
          startsAt: new Date('2099-05-01T10:00:00Z'),
          seats: [{ first: 1, last: 2, price: 1 }],
        },
      ],
      policy: { activeMax: 5 },
    };
    const [first, second] = [await createConcert(ports, plan), await createConcert(ports, plan)];
    expect(first).toMatchObject({ title: plan.title, sales: 'OPEN', policy: { ...POLICY, activeMax: 5 } });
    expect(second.concertId).not.toBe(first.concertId);
    expect(await ports.concerts.listSeats(first.concertId, concertDate('2099-05-01'))).toHaveLength(2);
  });
});

describe('changing a policy', () => {
  it('admits entries by the new policy at once', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const [, second, third] = [await fan(concert), await fan(concert), await fan(concert)];
    const changed = await changePolicy(ports, { concertId: concert.concertId, change: { activeMax: 2 } });
    expect(changed.policy).toEqual({ ...POLICY, activeMax: 2 });
    expect(await ports.queue.find(second)).toMatchObject({ status: 'ACTIVE' });
    expect(await ports.queue.find(third)).toMatchObject({ status: 'WAITING', position: 1 });
  });

  it('admits nobody once it pauses the queue', async () => {
    const { ports, stage, fan } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1 } });
    const [first, second] = [await fan(concert), await fan(concert)];
    await changePolicy(ports, { concertId: concert.concertId, change: { paused: true } });
    await ports.queue.leave(first);
    await changePolicy(ports, { concertId: concert.concertId, change: { activeMax: 100 } });
    expect(await ports.queue.find(second)).toMatchObject({ status: 'WAITING' });
  });

  it('takes effect although the queue is unreachable: the next admission follows it', async () => {
    const world = memoryWorld();
    const { concertId } = world.stage();
    const { ports, calls } = failingPorts(world.ports, [{ nth: 3, takesEffect: false }]);
    const changed = await changePolicy(ports, { concertId, change: { activeMax: 9 } });
    expect(calls).toEqual(['concerts.changePolicy', 'concerts.seatsLeft', 'queue.admit']);
    expect(changed.policy.activeMax).toBe(9);
    expect((await world.ports.concerts.find(concertId))?.policy.activeMax).toBe(9);
  });

  it('is refused if no limit would be left, and for an unknown concert', async () => {
    const { ports, stage } = memoryWorld();
    const { concertId } = stage({ policy: { activeMax: 3 } });
    await expectRefusal(changePolicy(ports, { concertId, change: { activeMax: 0 } }), 'validation-failed');
    expect((await ports.concerts.find(concertId))?.policy.activeMax).toBe(3);
    await expectRefusal(changePolicy(ports, { concertId: nowhere(), change: {} }), 'concert-not-found');
  });
});

describe('reading a queue', () => {
  it('returns its figures and the estimate for the last entry', async () => {
    const { ports, stage, fan, clock } = memoryWorld();
    const concert = stage({ policy: { activeMax: 1, sessionSeconds: 60 } });
    for (let joined = 0; joined < 4; joined++) await fan(concert);
    const { concertId } = concert;
    const figures = {
      concertId,
      waiting: 3,
      active: 1,
      absent: 0,
      registered: 0,
      drawn: 4,
      head: 2,
      turnover: 0,
      presentShare: 1,
    };
    expect(await readQueue(ports, concertId)).toEqual({ ...figures, paused: false, tailEtaSeconds: undefined });
    await admitAfter(60_000);
    expect(await readQueue(ports, concertId)).toMatchObject({ waiting: 2, head: 3, tailEtaSeconds: 85 });
    await admitAfter(60_000);
    await admitAfter(60_000);
    expect(await readQueue(ports, concertId)).toMatchObject({ waiting: 0, tailEtaSeconds: expect.any(Number) });
    expect((await readQueue(ports, concertId)).tailEtaSeconds).toBeGreaterThan(0);
    await changePolicy(ports, { concertId, change: { paused: true } });
    expect(await readQueue(ports, concertId)).toMatchObject({ paused: true, tailEtaSeconds: undefined });

    async function admitAfter(milliseconds: number) {
      clock.advance(milliseconds);
      await admitWaiting(ports);
    }
  });

  it('is refused for an unknown concert, without reading its queue', async () => {
    const { ports } = memoryWorld();
    let looked = false;
    const queue = {
      ...ports.queue,
      read: async (concertId: ConcertId) => {
        looked = true;
        return ports.queue.read(concertId);
      },
    };
    await expectRefusal(readQueue({ ...ports, queue }, nowhere()), 'concert-not-found');
    // An instance that has looked goes on looking, and finds every time that there is nothing.
    expect(looked).toBe(false);
  });
});
