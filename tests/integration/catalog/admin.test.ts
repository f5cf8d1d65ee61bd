import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { reservation } from '#adapters/http/booking/reservation-schemas.ts';
import { managedConcert } from '#adapters/http/catalog/concert-plan-schemas.ts';
import { concert, concertPage, dates, seats } from '#adapters/http/catalog/concert-schemas.ts';
import { policy } from '#adapters/http/catalog/policy-schemas.ts';
import { keptPlan } from '#adapters/http/catalog/seat-plan-schemas.ts';
import { queueFigures, queueStatus } from '#adapters/http/queue/queue-schemas.ts';
import { user } from '#adapters/http/wallet/user-schemas.ts';
import { activeClient, newClient } from '#tests/support/client/client.ts';
import { type Call, contractClient, type Reply } from '#tests/support/contract-client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY, digestOf, type Instance } from '#tests/support/instance.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';
import { FORMER_ADMIN_KEY, sharedWorld } from '#tests/support/world.ts';

const INFO_LEVEL = 30;

const redis = new Redis(inject('redisUrl'));
afterAll(() => redis.quit());
const world = await sharedWorld();
const [one, other] = world.instances as [Instance, Instance];
const [here, there] = [one, other].map(({ url }) => contractClient(url)) as [Call, Call];

type Options = { readonly at?: Call; readonly key?: string; readonly body?: unknown };

/** An admin call, at the first instance unless told otherwise. */
function manage(method: string, path: string, { at = here, key = ADMIN_KEY, body }: Options = {}): Promise<Reply> {
  return at(method, `/v1/admin/concerts${path}`, { headers: { authorization: `Bearer ${key}` }, body });
}
const change = (concertId: string, body: unknown, at = here) => manage('PATCH', `/${concertId}/policy`, { at, body });

/** Each instance admits at this concert, by the policy that it knows: leaving lets the next one in. */
async function admitEverywhere(concertId: string): Promise<void> {
  for (const at of [here, there]) {
    const passer = await newClient(at);
    await passer.join(concertId);
    await passer.leave();
  }
}

/** An order that both instances are given is known to both, and no admission from before it is under way any more. */
async function orderEverywhere(order: (at: Call) => Promise<unknown>): Promise<void> {
  for (const at of [here, there]) await order(at);
  await admitEverywhere(await world.openHall());
}
const pathsOf = ({ body }: Reply) => (body as { errors?: { path: string }[] }).errors?.map(({ path }) => path);

const DAY = { date: DATE, startsAt: `${DATE}T10:00:00.000Z`, seats: [{ first: 1, last: 4, price: PRICE }] };
const PLAN = { title: 'A new one', venue: 'A hall', salesOpenAt: '2026-01-01T00:00:00.000Z', dates: [DAY] };

describe('a concert', () => {
  test('is put on sale by one call, and can be booked at another instance', async () => {
    const plan = {
      ...PLAN,
      dates: [
        { ...DAY, seats: [...DAY.seats, { first: 101, last: 102, price: 2 * PRICE }] },
        { ...DAY, date: '2099-05-02', startsAt: '2099-05-02T10:00:00.000Z' },
      ],
      policy: { holdSeconds: 77, claimSeconds: null },
    };
    const created = await manage('POST', '', { body: plan });
    expect([created.status, created.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { concertId, ...told } = created.as(managedConcert);
    expect(told).toMatchObject({ title: plan.title, sales: 'OPEN', currency: 'KRW', holdSeconds: 77 });
    expect(told.policy).toMatchObject({ holdSeconds: 77, claimSeconds: 600, activeMax: 100, paused: false });

    const listed = (await there('GET', '/v1/concerts')).as(concertPage);
    expect(listed.items.map((concert) => concert.concertId)).toContain(concertId);
    const fan = await activeClient(there, concertId);
    const days = (await fan.get(`/v1/concerts/${concertId}/dates`, fan.inQueue)).as(dates).items;
    expect(days.map(({ date, seatsAvailable }) => [date, seatsAvailable])).toEqual([
      [DATE, 6],
      ['2099-05-02', 4],
    ]);
    const hall = (await fan.seats(concertId)).as(seats).items;
    expect(hall.map(({ seatNumber, price }) => [seatNumber, price])).toEqual(
      [1, 2, 3, 4, 101, 102].map((number) => [number, number < 100 ? PRICE : 2 * PRICE]),
    );
    expect((await fan.reserve([4, 101])).status).toBe(201);
  });

  const run = { first: 1, last: 4, grade: 'R' };
  const rows = [{ row: 'A', seats: [run, { first: 8, last: 5, grade: 'S', aisle: true }] }];
  const seatPlan = {
    version: 3,
    grades: [
      { grade: 'R', price: 2 * PRICE },
      { grade: 'S', price: PRICE },
    ],
    sections: [{ section: 'Stalls', rows }],
    blocked: [8],
  };
  const { seats: _, ...dayByPlan } = DAY;

  test('is put on sale by a seat plan, which is stored, and whose seats have places', async () => {
    const second = { ...DAY, date: '2099-05-02', startsAt: '2099-05-02T10:00:00.000Z' };
    const created = await manage('POST', '', { body: { ...PLAN, dates: [dayByPlan, second], seatPlan } });
    const { concertId } = created.as(managedConcert);
    const kept = (await manage('GET', `/${concertId}/seat-plan`)).as(keptPlan);
    expect(kept).toMatchObject({ version: 3, plan: seatPlan });

    const fan = await activeClient(there, concertId);
    const seatsOn = async (date: string) =>
      (await fan.get(`/v1/concerts/${concertId}/dates/${date}/seats`, fan.inQueue)).as(seats).items;
    const hall = await seatsOn(DATE);
    expect(hall.map(({ seatNumber, place, grade, status }) => [seatNumber, place, grade, status])).toEqual([
      ...[1, 2, 3, 4].map((number) => [number, number, 'R', 'AVAILABLE']),
      ...[5, 6, 7].map((number) => [number, 14 - number, 'S', 'AVAILABLE']),
      [8, 6, 'S', 'BLOCKED'],
    ]);
    expect(hall[0]).toMatchObject({ section: 'Stalls', row: 'A', price: 2 * PRICE });
    expect((await seatsOn('2099-05-02'))[0]).not.toHaveProperty('section');

    const best = () => fan.reserveBest({ quantity: 2, grade: 'S' });
    expect((await best()).as(reservation)).toMatchObject({ seatNumbers: [6, 7], amount: 2 * PRICE });
    const none = await best();
    expect([none.status, none.code, none.body]).toMatchObject([409, 'no-adjacent-seats', { quantity: 2, left: 1 }]);
  });

  test('is put on sale by the example of the documentation', async () => {
    const document = await readFile(new URL('../../../docs/guide/seat-plans.md', import.meta.url), 'utf8');
    const [, example = ''] = /```json\n(.+?)```/s.exec(document) ?? [];
    const { concertId } = (await manage('POST', '', { body: JSON.parse(example) })).as(managedConcert);
    expect((await manage('GET', `/${concertId}/seat-plan`)).as(keptPlan).plan).toEqual(JSON.parse(example).seatPlan);
  });

  test('without a seat plan returns none', async () => {
    const concertId = await world.openHall();
    const none = await manage('GET', `/${concertId}/seat-plan`);
    expect([none.status, none.code]).toEqual([404, 'seat-plan-not-found']);
  });

  test('may forbid orphan seats, or warn of them', async () => {
    const concertId = await world.openHall({ seats: 10 });
    const fan = await activeClient(here, concertId);
    await change(concertId, { strandedSeats: 'enforce' });
    await until('the policy is in effect', async () => (await fan.reserve([2])).code === 'seat-stranded');
    await change(concertId, { strandedSeats: 'warn' });
    const warned = (await fan.reserve([2])).as(reservation);
    expect(warned.strandedSeatNumbers).toEqual([1]);
  });

  test('has seats blocked and unblocked by calls, never held or sold ones', async () => {
    const concertId = await world.openHall({ seats: 3 });
    const fan = await activeClient(there, concertId);
    const onSeats = (word: string, ...seatNumbers: number[]) =>
      manage('POST', `/${concertId}/dates/${DATE}/seats/${word}`, { body: { seatNumbers } });
    expect((await onSeats('block', 1, 2)).status).toBe(204);
    expect((await fan.reserve([1])).code).toBe('seat-taken');
    expect((await onSeats('unblock', 1)).status).toBe(204);
    expect((await fan.reserve([1])).status).toBe(201);
    expect([(await onSeats('block', 1, 3)).code, (await onSeats('block', 4)).code]).toEqual([
      'seat-taken',
      'seat-not-found',
    ]);
    expect((await onSeats('unblock', 4)).code).toBe('seat-not-found');
    const hall = (await fan.seats(concertId)).as(seats).items;
    expect(hall.map(({ status }) => status)).toEqual(['HELD', 'BLOCKED', 'AVAILABLE']);
  });

  test('may open its queue later than its sales, by lottery, and shows the hash of the seed from the start', async () => {
    const opensAt = '2098-12-31T09:00:00.000Z';
    const body = { ...PLAN, salesOpenAt: '2098-01-01T00:00:00.000Z', policy: { opening: 'lottery', opensAt } };
    const created = (await manage('POST', '', { body })).as(managedConcert);
    expect(created).toMatchObject({
      sales: 'UPCOMING',
      opensAt,
      opened: false,
      opening: 'lottery',
      policy: { opensAt },
    });
    expect(Object.keys(created.lottery ?? {})).toEqual(['seedSha256']);
    const seen = (await there('GET', `/v1/concerts/${created.concertId}`)).as(concert);
    expect(seen).toMatchObject({ opensAt, opened: false, opening: 'lottery', lottery: created.lottery });
    const changed = (await change(created.concertId, { opensAt: null, opening: null })).as(policy);
    expect(changed).toMatchObject({ opensAt: null, opening: 'fifo' });
    const now = (await here('GET', `/v1/concerts/${created.concertId}`)).as(concert);
    expect(now).toMatchObject({ opensAt: body.salesOpenAt, opening: 'fifo' });
    expect(now).not.toHaveProperty('lottery');
  });

  const range = { first: 1, last: 4, price: PRICE };
  const day = (more: object) => ({ dates: [{ ...DAY, ...more }] });
  const areas = (...seats: object[]) => day({ seats });
  const planned = (more: object) => ({ dates: [dayByPlan], seatPlan: { ...seatPlan, ...more } });
  const inRow = (...runs: object[]) =>
    planned({ blocked: [], sections: [{ section: 'Stalls', rows: [{ row: 'A', seats: runs }] }] });
  const many = (days: number) =>
    Array.from({ length: days }, (_, index) => {
      const date = new Date(Date.UTC(2099, 0, 1 + index)).toISOString();
      return { ...DAY, date: date.slice(0, 10), startsAt: date };
    });
  test.each<[mistake: string, path: string, changed: object]>([
    ['no dates', 'body/dates', { dates: [] }],
    ['too many dates', 'body/dates', { dates: many(101) }],
    ['a date twice', 'body/dates', { dates: [DAY, DAY] }],
    ['a date that does not exist', 'body/dates/0/date', day({ date: '2099-02-30' })],
    ['a start on another day', 'body/dates/0/startsAt', day({ startsAt: '2099-05-03T10:00:00.000Z' })],
    ['a start before sales open', 'body/salesOpenAt', { salesOpenAt: '2099-06-01T00:00:00.000Z' }],
    ['a date without seats', 'body/dates/0/seats', areas()],
    ['a seat twice', 'body/dates/0/seats', areas(range, { ...range, first: 4, last: 5 })],
    ['a descending range', 'body/dates/0/seats/0/last', areas({ ...range, first: 5 })],
    ['a seat beyond the largest number', 'body/dates/0/seats/0/last', areas({ ...range, last: 1_000_001 })],
    ['too many seats on a date', 'body/dates/0/seats', areas({ ...range, last: 100_001 })],
    ['too many seats', 'body/dates', { dates: many(3).map((of) => ({ ...of, seats: [{ ...range, last: 70_000 }] })) }],
    ['a price of zero', 'body/dates/0/seats/0/price', areas({ ...range, price: 0 })],
    ['neither seats nor a plan', 'body/seatPlan', { dates: [dayByPlan] }],
    ['a plan without a date', 'body/seatPlan', { seatPlan }],
    ['a plan with an unknown grade', 'body/seatPlan/sections/0/rows/0/seats/0/grade', inRow({ ...run, grade: 'X' })],
    ['a plan with a seat twice', 'body/seatPlan/sections/0/rows/0/seats/1', inRow(run, run)],
    ['a plan with a row too long', 'body/seatPlan/sections/0/rows/0/seats/0/last', inRow({ ...run, last: 1_001 })],
    ['a plan with an unknown field', 'body/seatPlan/sections/0/rows/0/seats/0', inRow({ ...run, price: 1 })],
    ['a plan without sections', 'body/seatPlan/sections', planned({ sections: [] })],
    ['a plan without a grade', 'body/seatPlan/grades', planned({ grades: [] })],
    ['a plan with an unknown blocked seat', 'body/seatPlan/blocked', planned({ blocked: [9] })],
    ['no title', 'body/title', { title: ' ' }],
    ['sales that open too early', 'body/salesOpenAt', { salesOpenAt: '0000-01-01T00:00:00.000Z' }],
    ['a title too long', 'body/title', { title: 'x'.repeat(201) }],
    ['an unknown field', 'body', { opensAt: PLAN.salesOpenAt }],
    ['a policy beyond its bounds', 'body/policy/claimSeconds', { policy: { claimSeconds: 4 } }],
    [
      'a queue that opens after the last date',
      'body/policy/opensAt',
      { policy: { opensAt: '2099-06-01T00:00:00.000Z' } },
    ],
    ['no limit of admission', 'policy', { policy: { activeMax: 0 } }],
  ])('with %s is refused, with the path of the fault', async (_, path, changed) => {
    const refused = await manage('POST', '', { body: { ...PLAN, ...changed } });
    expect([refused.status, refused.code]).toEqual([400, 'validation-failed']);
    expect(pathsOf(refused)).toContain(path);
  });
});

describe('a policy', () => {
  test('is changed in part; null returns a value to the settings', async () => {
    const concertId = await world.openHall({ activeMax: 7 });
    const read = await manage('GET', `/${concertId}/policy`);
    expect(read.headers.get('cache-control')).toBe('no-store');
    const before = read.as(policy);
    expect(before).toMatchObject({ activeMax: 7, admitPerWindow: 0, windowSeconds: 60, paused: false });

    const changed = (await change(concertId, { admitPerWindow: 5, windowSeconds: 10, absentSeconds: 60 })).as(policy);
    expect(changed).toEqual({ ...before, admitPerWindow: 5, windowSeconds: 10, absentSeconds: 60 });
    expect((await manage('GET', `/${concertId}/policy`)).as(policy)).toEqual(changed);

    const back = (await change(concertId, { activeMax: null, admitPerWindow: null, windowSeconds: null })).as(policy);
    expect(back).toEqual({ ...before, activeMax: 100, absentSeconds: 60 });
  });

  test.each<[mistake: string, path: string, body: object]>([
    ['nothing to change', 'body', {}],
    ['an unknown field', 'body', { activeMaximum: 5 }],
    ['a number below its bounds', 'body/absentSeconds', { absentSeconds: 4 }],
    ['a number above its bounds', 'body/windowSeconds', { windowSeconds: 3_601 }],
    ['a fraction', 'body/activeMax', { activeMax: 1.5 }],
    ['a text for a number', 'body/activeMax', { activeMax: '5' }],
    ['null for paused', 'body/paused', { paused: null }],
    ['an unknown opening', 'body/opening', { opening: 'raffle' }],
    ['another opening once sales have opened', 'policy/opening', { opening: 'lottery' }],
    ['an invalid time', 'body/opensAt', { opensAt: 'tomorrow' }],
    ['a time too early', 'body/opensAt', { opensAt: '0000-01-01T00:00:00.000Z' }],
    ['both limits off', 'policy', { activeMax: 0, admitPerWindow: 0 }],
    ['the only limit off', 'policy', { activeMax: 0 }],
  ])('is not changed by %s', async (_, path, body) => {
    const concertId = await world.openHall({ activeMax: 7 });
    const refused = await change(concertId, body);
    expect([refused.status, refused.code]).toEqual([400, 'validation-failed']);
    expect(pathsOf(refused)).toContain(path);
    expect((await manage('GET', `/${concertId}/policy`)).as(policy).activeMax).toBe(7);
  });

  test('is not found for an unknown concert', async () => {
    const nowhere = `/${newId()}`;
    const asked = await Promise.all([
      manage('GET', `${nowhere}/policy`),
      manage('PATCH', `${nowhere}/policy`, { body: { activeMax: 1 } }),
      manage('POST', `${nowhere}/pause`),
      manage('POST', `${nowhere}/resume`),
      manage('GET', `${nowhere}/line`),
    ]);
    expect(asked.map(({ code }) => code)).toEqual(asked.map(() => 'concert-not-found'));
  });

  test('that is changed at one instance is in effect at the other', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    const [first, next, last] = [await newClient(there), await newClient(there), await newClient(there)];
    await first.enter(concertId);
    await next.join(concertId);
    for (const waitingMax of [1, 2]) {
      expect((await there('GET', `/v1/admin/concerts/${concertId}/policy`, asAdmin)).status).toBe(200);
      expect((await change(concertId, { waitingMax })).status).toBe(200);
      const outcome = waitingMax === 1 ? 'queue-full' : undefined;
      await until('the other instance follows it', async () => {
        const { code } = await last.join(concertId);
        if (code === undefined) await last.leave();
        return code === outcome;
      });
    }
  });

  test('admits more entries at once when a limit is raised', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    const fans = [await newClient(there), await newClient(there), await newClient(there)];
    await fans[0]?.enter(concertId);
    for (const fan of fans.slice(1)) await fan.join(concertId);
    await change(concertId, { activeMax: 3 });
    const queueStatuses = await Promise.all(fans.map((fan) => fan.poll()));
    expect(queueStatuses.map((reply) => reply.as(queueStatus).status)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
  });

  test('that opens the queue later keeps all entries waiting until then, at every instance', async () => {
    const concertId = await world.openHall({ activeMax: 5 });
    await orderEverywhere((at) => change(concertId, { opensAt: '2099-01-01T00:00:00.000Z' }, at));
    const fan = await newClient(there);
    await fan.join(concertId);
    await admitEverywhere(concertId);
    expect((await fan.poll()).as(queueStatus)).toMatchObject({ status: 'WAITING', position: 1 });
    await change(concertId, { opensAt: null });
    expect((await fan.poll()).as(queueStatus).status).toBe('ACTIVE');
  });

  test('that is paused admits nobody at any instance, has no estimate, and resumes', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    const [inside, next] = [await newClient(there), await newClient(there)];
    await inside.enter(concertId);
    await next.join(concertId);
    const look = async () => (await next.poll()).as(queueStatus);
    await orderEverywhere(async (at) => {
      expect((await manage('POST', `/${concertId}/pause`, { at })).as(policy).paused).toBe(true);
    });

    await inside.leave();
    await admitEverywhere(concertId);
    const waiting = await look();
    expect(waiting).toMatchObject({ status: 'WAITING', position: 1 });
    expect(waiting).not.toHaveProperty('etaSeconds');

    await manage('POST', `/${concertId}/resume`);
    expect((await look()).status).toBe('ACTIVE');
  });
});

describe('the figures of a queue', () => {
  test('count waiting and active entries and joins, and estimate the wait of the last entry', async () => {
    const concertId = await world.openHall({ activeMax: 2, sessionSeconds: 100 });
    const fans = [await newClient(here), await newClient(here), await newClient(here)];
    for (const fan of fans) await fan.join(concertId);
    await fans[1]?.untilActive();
    const told = await manage('GET', `/${concertId}/line`, { at: there });
    expect(told.headers.get('cache-control')).toBe('no-store');
    expect(told.as(queueFigures)).toEqual({
      concertId,
      paused: false,
      waiting: 1,
      active: 2,
      absent: 0,
      registered: 0,
      drawn: 3,
      frontier: 3,
      turnover: 0,
    });
    await fans[1]?.leave();
    const moving = (await manage('GET', `/${concertId}/line`)).as(queueFigures);
    expect(moving).toMatchObject({ waiting: 0, active: 2 });
    expect(moving.turnover).toBeGreaterThan(0);
    await manage('POST', `/${concertId}/pause`);
    const paused = (await manage('GET', `/${concertId}/line`)).as(queueFigures);
    expect(paused).toMatchObject({ paused: true, waiting: 0 });
    expect(paused).not.toHaveProperty('tailEtaSeconds');
  });

  test('count entries that have stopped polling once they reach the head', async () => {
    const concertId = await world.openHall({ activeMax: 1, absentSeconds: 60 });
    const [inside, lost] = [await newClient(here), await newClient(here)];
    await inside.enter(concertId);
    await lost.join(concertId);
    await passAtQueue(redis, concertId, 100_000);
    await inside.leave();
    expect((await manage('GET', `/${concertId}/line`)).as(queueFigures)).toMatchObject({
      waiting: 0,
      active: 0,
      absent: 1,
    });
    expect((await lost.poll()).as(queueStatus)).toMatchObject({
      status: 'WAITING',
      position: 1,
    });
    await lost.untilActive();
  });
});

const asAdmin = { headers: { authorization: `Bearer ${ADMIN_KEY}` } };

describe('an admin key', () => {
  const calls = [
    ['POST', ''],
    ['GET', `/${newId()}/policy`],
    ['PATCH', `/${newId()}/policy`],
    ['POST', `/${newId()}/pause`],
    ['POST', `/${newId()}/resume`],
    ['GET', `/${newId()}/line`],
  ] as const;

  test.each(calls)('is required for %s …%s, before the request is validated', async (method, path) => {
    const fan = (await here('POST', '/v1/users')).as(user);
    const bearers = ['wrong', digestOf(ADMIN_KEY), `${ADMIN_KEY}x`, ADMIN_KEY.slice(1), fan.accessToken];
    const body = method === 'GET' || path.endsWith('e') ? {} : { body: { nonsense: true } };
    const headers = [
      ...bearers.map((bearer) => ({ authorization: `Bearer ${bearer}` })),
      {},
      { authorization: 'Basic x' },
    ];
    for (const sent of headers) {
      const reply = await here(method, `/v1/admin/concerts${path}`, { headers: sent, ...body });
      expect([reply.status, reply.code]).toEqual([401, 'unauthenticated']);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('does not identify a user', async () => {
    const concertId = await world.openHall();
    expect((await here('POST', `/v1/concerts/${concertId}/queue`, asAdmin)).code).toBe('unauthenticated');
  });

  test('can be rotated, and the log names the key that was used', async () => {
    const concertId = await world.openHall();
    const [old, next] = [FORMER_ADMIN_KEY, ADMIN_KEY];
    // The first of the two knows both keys.
    const [both, only] = [one, other];
    const tries = [
      [both, old],
      [both, next],
      [only, old],
      [only, next],
    ] as const;
    const statuses: number[] = [];
    for (const [{ url }, key] of tries) {
      const reply = await manage('PATCH', `/${concertId}/policy`, {
        at: contractClient(url),
        key,
        body: { activeMax: 10 + statuses.length, graceSeconds: null },
      });
      statuses.push(reply.status);
    }
    expect(statuses).toEqual([200, 200, 401, 200]);

    const changes = () => both.log().filter(({ msg, concertId: of }) => msg === 'changed a policy' && of === concertId);
    await until('the changes are in the log', () => changes().length === 2);
    expect(changes()).toMatchObject([
      { level: INFO_LEVEL, adminKeyId: 'former', concertId, change: { activeMax: 10, graceSeconds: null } },
      { level: INFO_LEVEL, adminKeyId: 'test', concertId, change: { activeMax: 11, graceSeconds: null } },
    ]);
    const said = JSON.stringify([both.log(), only.log()]);
    for (const secret of [old, next, digestOf(old), digestOf(next)]) expect(said).not.toContain(secret);
  });
});
