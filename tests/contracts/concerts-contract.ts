import { createHash } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import { runsOf, type SeatPlan } from '#domain/catalog/seat-plan.ts';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';
import { expectRefusal } from './expect-refusal.ts';
import { HOUR_MS, POLICY, WEEK_MS } from './stage-concert.ts';
import { HOLD_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** How old a concert may be that is shown. */
const STALE_MS = 1_000;
const REST_FREE = ['AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE'];

/** What holds of all concerts. */
export function concertsContract(harness: StoreHarness): void {
  const { concerts, boxOffice, stage, passes } = harness;

  const price = 1_000;
  function plan(more: Partial<ConcertPlan> = {}): ConcertPlan {
    const startsAt = new Date(Date.UTC(2099, 4, 1, 10));
    return {
      concertId: concertId(newId()),
      title: 'A new one',
      venue: 'Large Hall',
      currency: 'KRW',
      salesOpenAt: new Date(Date.UTC(2020, 0, 1)),
      dates: [
        {
          date: concertDate('2099-05-01'),
          startsAt,
          seats: [
            { first: 1, last: 3, price },
            { first: 10, last: 11, price: 2 * price },
          ],
        },
        {
          date: concertDate('2099-05-02'),
          startsAt: new Date(startsAt.getTime() + 24 * HOUR_MS),
          seats: [{ first: 7, last: 7, price: 0 }],
        },
      ],
      policy: {},
      ...more,
    };
  }

  const seatPlan: SeatPlan = {
    version: 7,
    grades: [
      { grade: 'R', price: 3 * price },
      { grade: 'S', price },
    ],
    sections: [
      { section: 'Stalls', rows: [{ row: 'A', seats: [{ first: 2, last: 1, grade: 'R' }] }] },
      { section: 'Box', rank: 9, rows: [{ row: 'A', seats: [{ first: 3, last: 3, grade: 'S', aisle: true }] }] },
    ],
    blocked: [3],
  };

  describe('finding the seat plan of a concert', () => {
    it('returns it as given, with its hash', async () => {
      const { concertId: planned } = await concerts.create(plan({ seatPlan }));
      const { concertId: newer } = await concerts.create(plan({ seatPlan: { ...seatPlan, version: 8 } }));
      const [kept, other] = [await concerts.findSeatPlan(planned), await concerts.findSeatPlan(newer)];
      expect(kept?.plan).toEqual(JSON.parse(JSON.stringify(seatPlan)));
      expect(kept?.sha256).toBe(createHash('sha256').update(JSON.stringify(seatPlan)).digest('hex'));
      expect(other?.sha256).not.toBe(kept?.sha256);
    });

    it('finds none for a concert without one', async () => {
      const { concertId: unplanned } = await concerts.create(plan());
      expect(await concerts.findSeatPlan(unplanned)).toBeUndefined();
      expect(await concerts.findSeatPlan(concertId(newId()))).toBeUndefined();
    });
  });

  describe('finding a concert', () => {
    it('returns the concert and its own policy values', async () => {
      const { concertId, title, venue, salesOpenAt } = await stage({ policy: { activeMax: 7 } });
      expect(await concerts.find(concertId)).toEqual({
        concertId,
        title,
        venue,
        currency: 'KRW',
        salesOpenAt,
        sales: 'OPEN',
        opensAt: salesOpenAt,
        opened: true,
        opensInSeconds: 0,
        policy: { ...POLICY, activeMax: 7 },
      });
    });

    it('finds nothing for an unknown id', async () => {
      expect(await concerts.find(concertId(newId()))).toBeUndefined();
    });

    it('returns from memory what it has found before, and nothing for an unknown id', async () => {
      const { concertId: id } = await stage();
      const found = { concert: await concerts.find(id), seatsLeft: await concerts.seatsLeft(id) };
      expect(concerts.recall(id)).toEqual(found);
      expect(concerts.recall(concertId(newId()))).toBeUndefined();
    });

    it('knows within a second that sales have opened, and that they have closed', async () => {
      const { concertId } = await stage({
        opensInMs: HOUR_MS,
        dates: [{ startsInMs: 2 * HOUR_MS, prices: [1] }],
      });
      const sales = async () => (await concerts.find(concertId))?.sales;
      expect(await sales()).toBe('UPCOMING');
      await passes(HOUR_MS + STALE_MS);
      expect(await sales()).toBe('OPEN');
      await passes(HOUR_MS + STALE_MS);
      expect(await sales()).toBe('CLOSED');
    });
  });

  describe('putting a concert on sale', () => {
    it('creates it with its dates, seats and prices, at once visible to the caller', async () => {
      const { dates, policy: _, ...told } = plan();
      expect(await concerts.find(told.concertId)).toBeUndefined();
      const created = await concerts.create({ ...told, dates, policy: {} });
      expect(created).toEqual({
        ...told,
        sales: 'OPEN',
        opensAt: told.salesOpenAt,
        opened: true,
        opensInSeconds: 0,
        policy: POLICY,
      });
      expect(await concerts.find(told.concertId)).toEqual(created);
      const seats = await concerts.listSeats(told.concertId, concertDate('2099-05-01'));
      expect(seats?.map(({ seatNumber, price, status }) => [seatNumber, price, status])).toEqual(
        [1, 2, 3, 10, 11].map((number) => [number, number < 10 ? price : 2 * price, 'AVAILABLE']),
      );
      expect(await concerts.listDates(told.concertId)).toEqual([
        { date: dates[0]?.date, startsAt: dates[0]?.startsAt, seatsTotal: 5, seatsAvailable: 5 },
        { date: dates[1]?.date, startsAt: dates[1]?.startsAt, seatsTotal: 1, seatsAvailable: 1 },
      ]);
    });

    it('takes given values from its policy, and the rest from the settings', async () => {
      const created = await concerts.create(plan({ policy: { activeMax: 0, admitPerWindow: 5, waitingMax: null } }));
      expect(created.policy).toEqual({ ...POLICY, activeMax: 0, admitPerWindow: 5 });
    });

    it('is refused without any limit of admission, and creates nothing', async () => {
      const refused = plan({ policy: { activeMax: 0 } });
      await expectRefusal(concerts.create(refused), 'validation-failed');
      expect(await concerts.find(refused.concertId)).toBeUndefined();
    });
  });

  describe('changing a policy', () => {
    it('changes named values and leaves the rest; null returns a value to the settings', async () => {
      const { concertId } = await stage({ policy: { activeMax: 7, claimSeconds: 50 } });
      const before = await concerts.find(concertId);
      const paused = await concerts.changePolicy(concertId, { paused: true, admitPerWindow: 9 });
      expect(paused).toEqual({
        ...before,
        policy: { ...POLICY, activeMax: 7, claimSeconds: 50, paused: true, admitPerWindow: 9 },
      });
      const given = await concerts.changePolicy(concertId, { activeMax: null, claimSeconds: null, paused: false });
      expect(given?.policy).toEqual({ ...POLICY, admitPerWindow: 9 });
      expect(await concerts.changePolicy(concertId, {})).toEqual(given);
    });

    it('is at once visible to the caller', async () => {
      const { concertId } = await stage();
      await Promise.all([concerts.find(concertId), concerts.listServed()]);
      await concerts.changePolicy(concertId, { activeMax: 77 });
      expect((await concerts.find(concertId))?.policy.activeMax).toBe(77);
      const onSale = (await concerts.listServed()).find((concert) => concert.concertId === concertId);
      expect(onSale?.policy.activeMax).toBe(77);
    });

    it('may switch one limit of admission off, never both, also under concurrent changes', async () => {
      const { concertId } = await stage({ policy: { activeMax: 7, admitPerWindow: 8 } });
      const changes = [{ activeMax: 0 }, { admitPerWindow: 0 }].map((change) =>
        concerts.changePolicy(concertId, change),
      );
      const [first, second] = await Promise.allSettled(changes);
      expect([first?.status, second?.status].sort()).toEqual(['fulfilled', 'rejected']);
      await expectRefusal(concerts.changePolicy(concertId, { activeMax: 0, admitPerWindow: 0 }), 'validation-failed');
      const { activeMax, admitPerWindow } = (await concerts.find(concertId))?.policy ?? POLICY;
      expect([activeMax, admitPerWindow].filter((limit) => limit === 0)).toHaveLength(1);
    });

    it('uses the settings for values without a decision', async () => {
      const { concertId } = await stage({ policy: { activeMax: 0, admitPerWindow: 8 } });
      await expectRefusal(concerts.changePolicy(concertId, { admitPerWindow: null }), 'validation-failed');
      const changed = await concerts.changePolicy(concertId, { admitPerWindow: null, activeMax: null });
      expect(changed?.policy).toEqual(POLICY);
    });

    it('finds nothing to change for an unknown id', async () => {
      expect(await concerts.changePolicy(concertId(newId()), { activeMax: 1 })).toBeUndefined();
    });

    it('keeps all of several concurrent changes', async () => {
      const { concertId } = await stage();
      const changes = [{ activeMax: 9 }, { waitingMax: 99 }, { sessionSeconds: 999 }, { paused: true }];
      await Promise.all(changes.map((change) => concerts.changePolicy(concertId, change)));
      expect((await concerts.find(concertId))?.policy).toMatchObject(Object.assign({}, ...changes));
    });
  });

  describe('the opening of a queue', () => {
    it('is at the opening of sales or later, by the policy, and known within a second', async () => {
      const { concertId, salesOpenAt } = await stage({ opensInMs: HOUR_MS });
      const look = async () => (await concerts.find(concertId)) ?? {};
      expect(await look()).toMatchObject({ opensAt: salesOpenAt, opened: false });
      expect(await look()).toMatchObject({ opensInSeconds: expect.closeTo(HOUR_MS / 1_000, -3) });
      await concerts.changePolicy(concertId, { opensAt: new Date(salesOpenAt.getTime() - 1) });
      expect(await look()).toMatchObject({ opensAt: salesOpenAt, opened: false });
      const later = new Date(salesOpenAt.getTime() + HOUR_MS);
      await concerts.changePolicy(concertId, { opensAt: later });
      expect(await look()).toMatchObject({ opensAt: later, opened: false, policy: { opensAt: later } });
      await passes(HOUR_MS + STALE_MS);
      expect(await look()).toMatchObject({ sales: 'OPEN', opened: false });
      await passes(HOUR_MS);
      expect(await look()).toMatchObject({ sales: 'OPEN', opened: true });
      await concerts.changePolicy(concertId, { opensAt: new Date(later.getTime() + HOUR_MS) });
      expect(await look()).toMatchObject({ opened: false });
      await concerts.changePolicy(concertId, { opensAt: null });
      expect(await look()).toMatchObject({ opened: true, policy: { opensAt: null } });
    });

    it('is before the last date', async () => {
      const { concertId, dates } = await stage({
        dates: [1, 2].map((days) => ({ startsInMs: 24 * days * HOUR_MS, prices: [1] })),
      });
      const [first, last] = dates.map(({ startsAt }) => startsAt) as [Date, Date];
      for (const opensAt of [last, new Date(last.getTime() + HOUR_MS)]) {
        await expectRefusal(concerts.changePolicy(concertId, { opensAt, activeMax: 9 }), 'validation-failed');
      }
      expect((await concerts.changePolicy(concertId, { opensAt: first, activeMax: 9 }))?.policy).toMatchObject({
        opensAt: first,
        activeMax: 9,
      });
      await concerts.changePolicy(concertId, { opensAt: null });
    });

    it('is by lottery or not by the policy, until sales open, and then stays', async () => {
      const { concertId } = await stage({ opensInMs: HOUR_MS });
      const changed = (await concerts.changePolicy(concertId, { opening: 'lottery' }))?.policy;
      expect(changed).toEqual({ ...POLICY, opening: 'lottery' });
      await passes(HOUR_MS);
      await expectRefusal(concerts.changePolicy(concertId, { opening: 'fifo', waitingMax: 9 }), 'validation-failed');
      await expectRefusal(concerts.changePolicy(concertId, { opening: null }), 'validation-failed');
      expect((await concerts.changePolicy(concertId, { opening: 'lottery' }))?.policy).toEqual(changed);
    });
  });

  describe('the lots of a concert', () => {
    const lotteryOf = async (id: ConcertId) => (await concerts.find(id))?.lottery;
    const HASH = /^[0-9a-f]{64}$/;

    it('have a seed from the first read on, and show only its hash', async () => {
      const [one, other] = [
        await stage({ opensInMs: HOUR_MS, policy: { opening: 'lottery' } }),
        await stage({ policy: { opening: 'lottery' } }),
      ];
      const [first, second] = [await lotteryOf(one.concertId), await lotteryOf(other.concertId)];
      expect(first).toEqual({ seedSha256: expect.stringMatching(HASH) });
      expect(second).toEqual({ seedSha256: expect.stringMatching(HASH) });
      expect(first).not.toEqual(second);
      await passes(STALE_MS);
      expect(await lotteryOf(one.concertId)).toEqual(first);
      const listed = (await concerts.list({ limit: 2 })).items.map(({ lottery }) => lottery);
      expect(listed).toEqual([second, first]);
    });

    it('keep the seed when a policy is changed back and forth, so that nobody can choose another', async () => {
      const { concertId } = await stage({ opensInMs: HOUR_MS });
      expect(await lotteryOf(concertId)).toBeUndefined();
      const drawn = (await concerts.changePolicy(concertId, { opening: 'lottery' }))?.lottery;
      expect(drawn).toEqual({ seedSha256: expect.stringMatching(HASH) });
      expect((await concerts.changePolicy(concertId, { opening: 'fifo' }))?.lottery).toBeUndefined();
      expect((await concerts.changePolicy(concertId, { opening: 'lottery' }))?.lottery).toEqual(drawn);
    });

    it('exist at once for a concert created with them', async () => {
      const made = await concerts.create(plan({ policy: { opening: 'lottery' } }));
      expect(made.lottery).toEqual({ seedSha256: expect.stringMatching(HASH) });
    });
  });

  describe('the seats left', () => {
    const left = async (id: ConcertId) => {
      await passes(STALE_MS);
      return concerts.seatsLeft(id);
    };

    it('are the free and the held seats of all future dates', async () => {
      const { concert, user, hold, pay } = await openBoxOffice(harness, {
        dates: [
          { startsInMs: WEEK_MS, prices: [1, 2, 3, 4, 5], blocked: [5] },
          { startsInMs: 2 * WEEK_MS, prices: [1, 2] },
          { startsInMs: -HOUR_MS, prices: [1, 2, 3] },
        ],
      });
      expect(await left(concert.concertId)).toEqual({ available: 6, held: 0 });
      const fan = await user(1);
      await pay(await hold(fan, 1));
      await hold(fan, 2, 3);
      expect(await left(concert.concertId)).toEqual({ available: 3, held: 2 });
    });

    it('count an expired hold as available, whether or not a job has freed it', async () => {
      const { concert, user, hold } = await openBoxOffice(harness);
      await hold(await user(), 1, 2);
      expect(await left(concert.concertId)).toEqual({ available: 3, held: 2 });
      await passes(HOLD_MS);
      expect(await left(concert.concertId)).toEqual({ available: 5, held: 0 });
      await boxOffice.expireLapsed(2);
      expect(await left(concert.concertId)).toEqual({ available: 5, held: 0 });
    });

    it('are none for an unknown concert', async () => {
      expect(await concerts.seatsLeft(concertId(newId()))).toEqual({ available: 0, held: 0 });
    });
  });

  describe('the concerts to serve', () => {
    it('are those whose sales have opened, until a day after the start of the last date', async () => {
      const open = await stage();
      const early = await stage({ opensInMs: HOUR_MS });
      const begun = await stage({ dates: [{ startsInMs: -HOUR_MS, prices: [1] }] });
      const over = await stage({ dates: [{ startsInMs: -25 * HOUR_MS, prices: [1] }] });
      await passes(STALE_MS);
      const ids = (await concerts.listServed()).map(({ concertId }) => concertId);
      expect(ids).toContain(open.concertId);
      expect(ids).toContain(begun.concertId);
      expect(ids).not.toContain(early.concertId);
      expect(ids).not.toContain(over.concertId);
      await passes(HOUR_MS + STALE_MS);
      expect((await concerts.listServed()).map(({ concertId }) => concertId)).toContain(early.concertId);
    });
  });

  describe('the list of concerts', () => {
    it('has those with a future date, newest first, in pages', async () => {
      const first = await stage();
      await stage({ dates: [{ startsInMs: -HOUR_MS, prices: [1] }] });
      const second = await stage({ opensInMs: HOUR_MS });
      const third = await stage();
      const page = await concerts.list({ limit: 2 });
      expect(page.items.map(({ concertId }) => concertId)).toEqual([third.concertId, second.concertId]);
      expect(page.items.map(({ sales }) => sales)).toEqual(['OPEN', 'UPCOMING']);
      const next = await concerts.list({ limit: 1, after: page.next });
      expect(next.items.map(({ concertId }) => concertId)).toEqual([first.concertId]);
    });
  });

  describe('the dates of a concert', () => {
    it('are the future ones, the earliest first, with the number of available seats', async () => {
      const { concertId, dates } = await stage({
        dates: [
          { startsInMs: 2 * WEEK_MS, prices: [1, 2] },
          { startsInMs: -HOUR_MS, prices: [1] },
          { startsInMs: WEEK_MS, prices: [1, 2, 3], blocked: [2] },
        ],
      });
      const [later, , sooner] = dates;
      expect(await concerts.listDates(concertId)).toEqual([
        { date: sooner?.date, startsAt: sooner?.startsAt, seatsTotal: 3, seatsAvailable: 2 },
        { date: later?.date, startsAt: later?.startsAt, seatsTotal: 2, seatsAvailable: 2 },
      ]);
    });

    it('count neither held nor sold seats, and count those of an expired hold', async () => {
      const { concert, user, hold, pay } = await openBoxOffice(harness);
      const fan = await user(10_000);
      const free = async () => (await concerts.listDates(concert.concertId))[0]?.seatsAvailable;
      await pay(await hold(fan, 1));
      await hold(fan, 2, 3);
      expect(await free()).toBe(2);
      await passes(HOLD_MS);
      expect(await free()).toBe(4);
    });

    it('are none for an unknown concert', async () => {
      expect(await concerts.listDates(concertId(newId()))).toEqual([]);
    });
  });

  describe('the seats of a date', () => {
    it('are listed by number, with price and state', async () => {
      const { concert, date, user, hold, pay } = await openBoxOffice(harness, {
        dates: [{ startsInMs: WEEK_MS, prices: [100, 200, 300, 400], blocked: [4] }],
      });
      const fan = await user(300);
      await pay(await hold(fan, 3));
      await hold(fan, 2);
      expect(await concerts.listSeats(concert.concertId, date)).toEqual([
        { seatNumber: 1, price: 100, status: 'AVAILABLE' },
        { seatNumber: 2, price: 200, status: 'HELD' },
        { seatNumber: 3, price: 300, status: 'SOLD' },
        { seatNumber: 4, price: 400, status: 'BLOCKED' },
      ]);
    });

    it('have a place and a grade if there is a seat plan, and may be blocked by it', async () => {
      const planned = plan({ seatPlan });
      const dates = planned.dates.slice(0, 1).map((day) => ({ ...day, seats: runsOf(seatPlan), blocked: [3] }));
      const { concertId: id } = await concerts.create({ ...planned, dates });
      expect(await concerts.listSeats(id, concertDate('2099-05-01'))).toEqual([
        {
          seatNumber: 1,
          price: 3 * price,
          status: 'AVAILABLE',
          at: { section: 'Stalls', row: 'A', place: 2, grade: 'R' },
        },
        {
          seatNumber: 2,
          price: 3 * price,
          status: 'AVAILABLE',
          at: { section: 'Stalls', row: 'A', place: 1, grade: 'R' },
        },
        { seatNumber: 3, price, status: 'BLOCKED', at: { section: 'Box', row: 'A', place: 1, grade: 'S' } },
      ]);
    });

    it('are undefined for an unknown date or concert', async () => {
      const { concertId: known, dates } = await stage();
      expect(await concerts.listSeats(known, concertDate('2001-01-01'))).toBeUndefined();
      expect(await concerts.listSeats(concertId(newId()), dates[0]?.date ?? concertDate(''))).toBeUndefined();
    });

    it('show an expired hold as free, whether or not a job has freed it', async () => {
      const { user, hold, statuses } = await openBoxOffice(harness);
      await hold(await user(), 1);
      expect((await statuses())?.[0]).toBe('HELD');
      await passes(HOLD_MS);
      expect((await statuses())?.[0]).toBe('AVAILABLE');
    });

    it('show every change acknowledged before the call, however many others read them', async () => {
      const { concert, user, hold, statuses } = await openBoxOffice(harness);
      const fan = await user();
      const look = () => Promise.all([statuses(), concerts.listDates(concert.concertId)]);
      for (let change = 0; change < 5; change++) {
        const before = [look(), look()];
        const { reservationId } = await hold(fan, 1);
        expect(await look()).toMatchObject([['HELD', ...REST_FREE], [{ seatsAvailable: 4 }]]);
        const meanwhile = [look(), look()];
        await boxOffice.release(fan, reservationId);
        expect(await look()).toMatchObject([['AVAILABLE', ...REST_FREE], [{ seatsAvailable: 5 }]]);
        await Promise.all([...before, ...meanwhile]);
      }
    });
  });
}
