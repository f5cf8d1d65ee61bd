import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deliveryPage, endpointWithSecret } from '#adapters/http/events/webhook-schemas.ts';
import { contractClient } from '#tests/support/contract-client.ts';
import { PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

const CONSUMER = fileURLToPath(new URL('../../../docs/guide/webhook-consumer.ts', import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

/** The example of the documents, as a process of its own; it ends with the test. */
async function startConsumer(secret: string, port = '0', program = CONSUMER) {
  const child = reaped(
    spawn(process.execPath, [program], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret, PORT: port },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(end);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const portOf = () => /listening on port (\d+)/.exec(output)?.[1];
  await until('the consumer listens', () => portOf() !== undefined);
  return {
    end,
    port: portOf() ?? '',
    url: `http://127.0.0.1:${portOf()}/`,
    /** The types of the events that it used, by their numbers. */
    used: () =>
      [...output.matchAll(/^\S+Z (\S+) \S+ (\d+) \{/gm)]
        .sort(([, , one], [, , other]) => Number(one) - Number(other))
        .map(([, type]) => type),
  };
}

/** The example, whose part of yours takes until so many webhooks have come. */
async function slowConsumer(webhooks: number): Promise<string> {
  const { path, remove } = await temporaryDir();
  onTestFinished(remove);
  const source = await readFile(CONSUMER, 'utf8');
  const counts = source.replace(
    '  const known = seen',
    '  if (++came === WEBHOOKS) allCame.resolve();\n  const known = seen',
  );
  expect(counts).not.toBe(source);
  const waits = counts.replace(
    '  console.log(timestamp, type,',
    '  await allCame.promise;\n  console.log(timestamp, type,',
  );
  expect(waits).not.toBe(counts);
  const slow = `let came = 0;\nconst WEBHOOKS = ${webhooks};\nconst allCame = Promise.withResolvers<void>();\n${waits}`;
  const program = join(path, 'webhook-consumer.ts');
  await writeFile(program, slow);
  return program;
}

type Sent = { readonly secret?: string; readonly ageSeconds?: number; readonly body?: string; readonly id?: string };

/** A webhook as Frontrow would send it, or somebody who would like to be taken for Frontrow. */
async function send(url: string, { secret = SECRET, ageSeconds = 0, body, id = 'evt_1_1' }: Sent, sign = body) {
  const text =
    body ??
    '{"type":"webhook.test","timestamp":"2026-11-20T09:34:45.120Z","aggregateId":"a","aggregateSequence":1,"data":{}}';
  const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
  const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'));
  const signature = mac.update(`${id}.${timestamp}.${sign ?? text}`).digest('base64');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,AAAA v1,${signature}` },
    body: text,
  });
  return response.status;
}

describe('the example of a consumer', () => {
  test('takes what is genuine, once, and nothing else', async () => {
    const { url, used } = await startConsumer(SECRET);
    expect(await send(url, {})).toBe(204);
    expect(await send(url, {})).toBe(204);
    expect(await send(url, { secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`, id: 'evt_1_2' })).toBe(401);
    expect(await send(url, { ageSeconds: 3_600, id: 'evt_1_3' })).toBe(401);
    expect(await send(url, { ageSeconds: -3_600, id: 'evt_1_4' })).toBe(401);
    expect(await send(url, { body: '{"type":"forged"}', id: 'evt_1_5' }, '{"type":"signed"}')).toBe(401);
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    expect(await send(url, { body: 'no JSON', id: 'evt_1_6' })).toBe(500);
    await until('it was used', () => used().length > 0);
    expect(used()).toEqual(['webhook.test']);
  });

  test('outlives a client that hangs up in the middle of a body', async () => {
    const { url, port, used } = await startConsumer(SECRET);
    for (let times = 0; times < 3; times++) {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000\r\n\r\n{"type"');
      // It is being read: what is sent behind it is answered.
      expect(await send(url, { ageSeconds: 3_600 })).toBe(401);
      socket.destroy();
    }
    expect(await send(url, {})).toBe(204);
    await until('it was used', () => used().length === 1);
  });

  test('uses an event once, though the repetition comes while it is in use', async () => {
    const { url, used } = await startConsumer(SECRET, '0', await slowConsumer(5));
    const statuses = await Promise.all(Array.from({ length: 5 }, () => send(url, {})));
    expect(statuses).toEqual([204, 204, 204, 204, 204]);
    expect(await send(url, { id: 'evt_1_2' })).toBe(204);
    await until('both were used', () => used().length >= 2);
    expect(used()).toEqual(['webhook.test', 'webhook.test']);
  });

  test('does not start without a secret', async () => {
    const child = reaped(spawn(process.execPath, [CONSUMER], { env: { PATH: process.env.PATH }, stdio: 'ignore' }));
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});

describe('the example behind a server of Frontrow', async () => {
  const world = await sharedWorld();
  const call = contractClient(world.instances[0]?.url ?? '');
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };

  test('uses every event of a reservation once, with its number, though it was away for some of them', async () => {
    const away = await startConsumer(SECRET);
    const eventTypes = ['reservation.held', 'payment.captured', 'payment.refunded', 'reservation.cancelled'];
    const body = { url: away.url, eventTypes };
    const made = (await call('POST', '/v1/admin/webhooks', { headers, body })).as(endpointWithSecret);
    await away.end();

    const concert = await world.openHall();
    const fan = await world.fan({ balance: PRICE });
    await letIn([fan], concert);
    const reservation = await fan.hold(1);
    const log = async () =>
      (await call('GET', `/v1/admin/webhooks/${made.endpointId}/deliveries`, { headers })).as(deliveryPage).items;
    await until('an attempt has failed, and waits', async () =>
      (await log()).some(
        ({ lastAttempt, nextAttemptAt }) => lastAttempt?.failure?.includes('ECONNREFUSED') && nextAttemptAt,
      ),
    );
    const back = await startConsumer(made.secret, away.port);
    // So much time goes by that it is tried again.
    await world.pool.query(
      "UPDATE webhook_deliveries SET due_at = clock_timestamp() - interval '1 ms' WHERE due_at IS NOT NULL AND endpoint_id = $1",
      [made.endpointId],
    );
    await fan.pay(reservation);
    await fan.cancel(reservation);
    await until('all is delivered', async () => {
      const all = await log();
      return all.length === eventTypes.length && all.every(({ state }) => state === 'DELIVERED');
    });
    await until('all is used', () => back.used().length >= eventTypes.length);
    expect(back.used()).toEqual(eventTypes);
    await call('DELETE', `/v1/admin/webhooks/${made.endpointId}`, { headers });
  });
});
