import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { contradictions, holdings } from '#tests/support/books.ts';
import { type Answer, type Fan, send, tally } from '#tests/support/fan.ts';
import { PRICE } from '#tests/support/hall.ts';
import { ownPostgres } from '#tests/support/own-postgres.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const POOL_MAX = 10;
const postgres = await ownPostgres();
const world = await startWorld({
  instances: 1,
  databaseUrl: postgres.url,
  settings: {
    DATABASE_POOL_MAX: String(POOL_MAX),
    DATABASE_STATEMENT_TIMEOUT_MS: '2000',
    DATABASE_CONNECT_TIMEOUT_MS: '500',
  },
});
const [instance] = world.instances;
if (instance === undefined) throw new RangeError('no instance');
const { url } = instance;

type Line = {
  readonly level: number;
  readonly job?: string;
  readonly requestId?: string;
  readonly err?: { stack: string };
};
const log = () => instance.log() as readonly Line[];

const WARN_LEVEL = 40;
/** Two statements, each given up half a second after the server should have ended it. */
const REFUSED_WITHIN_MS = 6_000;
/** Less than one statement may take: nobody waits for Postgres who can do without it. */
const SERVED_WITHIN_MS = 2_000;

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; tookMs: number }> {
  const began = performance.now();
  return { result: await work(), tookMs: performance.now() - began };
}

describe.each([
  ['away', postgres.kill, postgres.restart],
  ['frozen', postgres.freeze, async () => postgres.thaw()],
] as const)('while Postgres is %s', (_, take, giveBack) => {
  afterEach(giveBack);

  test('the line goes on, the rest is refused in good time; and all goes on by itself afterwards', async () => {
    const concert = await world.openHall({ activeMax: 3 });
    const fans = await world.fans(4, { balance: 2 * PRICE });
    const [payer, browser, leaver, late] = fans as [Fan, Fan, Fan, Fan];
    await letIn([payer, browser, leaver], concert);
    const reservation = await payer.hold(1);
    const [payKey, reserveKey, chargeKey] = [randomUUID(), randomUUID(), randomUUID()];
    const commands = () =>
      Promise.all([
        payer.pay(reservation, { key: payKey }),
        browser.reserve([2], { key: reserveKey }),
        browser.charge(PRICE, { key: chargeKey }),
      ]);
    // As many connections as there may be, so that what follows meets one that was there before.
    await Promise.all(Array.from({ length: 2 * POOL_MAX }, () => browser.balance()));
    const logged = log().length;

    await take();

    const readiness = await timed(() => send(`${url}/readyz`, {}));
    expect(readiness.result).toMatchObject({ status: 503, body: { status: 'not-ready' } });
    expect(readiness.tookMs).toBeLessThan(SERVED_WITHIN_MS);
    expect((await send(`${url}/livez`, {})).status).toBe(200);

    const inLine = [await timed(() => late.join(concert)), await timed(late.poll), await timed(leaver.leave)];
    expect(inLine.map(({ result: { status } }) => status)).toEqual([201, 200, 204]);
    expect(inLine[1]?.result.body).toMatchObject({ status: 'WAITING', position: 1 });
    for (const { tookMs } of inLine) expect(tookMs).toBeLessThan(SERVED_WITHIN_MS);
    await late.untilActive();

    const refused = await Promise.all(
      [
        async () => commands(),
        async () => [await browser.call('GET', `/users/${browser.userId}/balance`)],
        async () => [await payer.call('GET', '/reservations')],
      ].map(timed),
    );
    const answers: Answer[] = refused.flatMap(({ result }) => result);
    const { '503 unavailable': _, '503 busy': _busy, ...others } = tally(answers);
    expect(others).toEqual({});
    for (const { headers } of answers) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    for (const { tookMs } of refused) expect(tookMs).toBeLessThan(REFUSED_WITHIN_MS);

    await until('each refusal is in the log', () => answers.every((answer) => causesOf(answer).length > 0));
    for (const answer of answers) expect(causesOf(answer)).toEqual([expect.stringContaining('caused by')]);
    const failing = log()
      .slice(logged)
      .flatMap(({ job }) => job ?? []);
    expect(failing.length).toBe(new Set(failing).size);

    await giveBack();
    await until('it is ready again', async () => (await send(`${url}/readyz`, {})).status === 200);

    // A frozen Postgres may have done what nobody waited for any more.
    expect(tally(await commands())).toEqual({ 201: 3 });
    expect(await browser.balance()).toBe(3 * PRICE);
    expect(await holdings(world.pool, payer.userId)).toEqual({ balance: PRICE, payments: 1, seats: 1 });
    expect((await late.reserve([3])).status).toBe(201);
    expect(await contradictions(world.pool)).toEqual([]);
  });
});

/** What the log says about a request beyond that it was answered. */
function causesOf({ headers }: Answer): string[] {
  const id = headers.get('x-request-id');
  return log().flatMap(({ level, requestId, err }) =>
    level === WARN_LEVEL && requestId === id ? [err?.stack ?? 'no error'] : [],
  );
}
