import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { contradictions, holdings } from '#tests/support/books.ts';
import { type Answer, type Client, send, tally } from '#tests/support/client/client.ts';
import { PRICE } from '#tests/support/hall.ts';
import type { Instance } from '#tests/support/instance.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { ownPostgres } from '#tests/support/own-postgres.ts';
import { untilStandstill } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const POOL_MAX = 10;
const { redis } = await openRedis();
const postgres = await ownPostgres();
// Asked before and afterwards; and meanwhile for what can do without Postgres, which would keep it waiting for a minute.
const world = await startWorld({ instances: 1, databaseUrl: postgres.url });
const [patient] = world.instances as [Instance];
/** Asked while Postgres does not answer, for what is refused: with such timeouts a slow machine may refuse by itself. */
const impatient = await world.start({
  DATABASE_POOL_MAX: String(POOL_MAX),
  DATABASE_STATEMENT_TIMEOUT_MS: '500',
  DATABASE_CONNECT_TIMEOUT_MS: '500',
});

type Line = {
  readonly level: number;
  readonly msg: string;
  readonly job?: string;
  readonly requestId?: string;
  readonly err?: { stack: string };
};
const log = () => impatient.log() as readonly Line[];

const WARN_LEVEL = 40;

describe.each([
  ['away', postgres.kill, postgres.restart],
  ['frozen', postgres.freeze, async () => postgres.thaw()],
] as const)('while Postgres is %s', (state, take, giveBack) => {
  afterEach(giveBack);

  test('the queue waits, everything else is refused in time, and the service recovers by itself', async () => {
    const concert = await world.openHall({ activeMax: 3 });
    const doors = [patient];
    const [payer, browser, leaver] = await world.fans(3, { balance: 2 * PRICE, doors });
    const late = await world.fan({ doors: [patient] });
    await letIn([payer, browser, leaver], concert);
    const reservation = await payer.hold(1);
    const [payKey, reserveKey, chargeKey] = [randomUUID(), randomUUID(), randomUUID()];
    const commands = () =>
      Promise.all([payer.pay(reservation, payKey), browser.reserve([2], reserveKey), browser.charge(PRICE, chargeKey)]);
    // As many connections as there may be, so that what follows meets one that was there before.
    doors.splice(0, 1, impatient);
    await until(
      'it knows the concert',
      async () => (await browser.call('GET', `/v1/concerts/${concert}`)).status === 200,
    );
    await Promise.all(Array.from({ length: 2 * POOL_MAX }, () => browser.balance()));

    await take();
    const logged = log().length;

    // A frozen Postgres keeps this one waiting, and whatever waits with it.
    let isAnswered = state === 'away';
    const waiting = late.balance().finally(() => {
      isAnswered ||= state === 'frozen';
    });
    const readiness = await send(`${patient.url}/readyz`);
    expect(readiness).toMatchObject({ status: 503, body: { status: 'not-ready' } });
    expect((await send(`${patient.url}/livez`)).status).toBe(200);
    await untilStandstill(redis, concert);
    const answered = [await late.join(concert), await queueAt(patient, leaver, 'DELETE'), await late.poll()];
    expect(answered.map(({ status }) => status)).toEqual([201, 204, 200]);
    expect(answered[2]?.body, 'nobody is admitted').toMatchObject({ status: 'WAITING', position: 1 });
    expect((await queueAt(patient, browser, 'GET')).body).toMatchObject({ status: 'ACTIVE' });
    expect(isAnswered, 'the queue waits for Postgres').toBe(state === 'away');

    const answers: readonly Answer[] = [
      ...(await commands()),
      await browser.call('GET', `/v1/users/${browser.userId}/balance`),
      await payer.call('GET', '/v1/reservations'),
    ];
    const { '503 unavailable': _, '503 busy': _busy, ...others } = tally(answers);
    expect(others).toEqual({});
    for (const { headers } of answers) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);

    await until('each refusal is in the log', () => answers.every((answer) => causesOf(answer).length > 0));
    for (const answer of answers) expect(causesOf(answer)).toEqual([expect.stringContaining('caused by')]);
    // One line per change of state: a job whose reads are still cached may fail, work again and fail again.
    const lines = Map.groupBy(log().slice(logged), ({ job }) => job);
    lines.delete(undefined);
    for (const [job, ofJob] of lines) {
      const messages = ofJob.map(({ msg }) => msg);
      expect(
        messages.filter((msg, index) => msg === messages[index - 1]),
        job,
      ).toEqual([]);
    }

    await giveBack();
    // The impatient one may give up a new connection each time: a slow machine takes longer than it waits.
    await until('it is ready again', async () => (await send(`${patient.url}/readyz`)).status === 200);
    doors.splice(0, 1, patient);
    await waiting;
    await late.untilActive();

    // A frozen Postgres may have done what nobody waited for any more.
    expect(tally(await commands())).toEqual({ 201: 3 });
    expect(await browser.balance()).toBe(3 * PRICE);
    expect(await holdings(world.pool, payer.userId)).toEqual({ balance: PRICE, payments: 1, seats: 1 });
    expect((await late.reserve([3])).status).toBe(201);
    expect(await contradictions(world.pool)).toEqual([]);
  });
});

/** Polls or leaves by another door than usual. */
const queueAt = ({ url }: Instance, { inQueue }: Client, method: 'GET' | 'DELETE') =>
  send(`${url}/v1/queue`, { method, headers: inQueue });

/** What the log says about a request beyond that it was answered. */
function causesOf({ headers }: Answer): string[] {
  const id = headers.get('x-request-id');
  return log().flatMap(({ level, requestId, err }) =>
    level === WARN_LEVEL && requestId === id ? [err?.stack ?? 'no error'] : [],
  );
}
