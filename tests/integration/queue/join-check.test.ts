import { createServer, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { CHECKS_MAX, httpJoinCheck } from '#adapters/webhooks/join-check.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { Answer } from '#tests/support/client/client.ts';
import { startReceiver } from '#tests/support/receiver.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

// Joining where operators have a check of their own. What it answers, each test says.

/** No slow machine meets it by itself; and for a check that never answers. */
const [PATIENT_MS, IMPATIENT_MS] = ['10000', '100'];

const checker = await startReceiver();
const world = await startWorld({
  instances: 1,
  settings: { JOIN_CHECK_URL: checker.url, JOIN_CHECK_TIMEOUT_MS: PATIENT_MS },
});
const [closed] = world.instances as [(typeof world.instances)[number]];
const [open, closedSoon, openSoon] = await Promise.all([
  world.start({ JOIN_CHECK_FAILURE: 'open' }),
  world.start({ JOIN_CHECK_TIMEOUT_MS: IMPATIENT_MS }),
  world.start({ JOIN_CHECK_TIMEOUT_MS: IMPATIENT_MS, JOIN_CHECK_FAILURE: 'open' }),
]);

const toldBy = ({ status, body }: Answer) => [status, body.code];
const answering = (status: number) => checker.answers((_, response) => response.writeHead(status).end());

describe('with JOIN_CHECK_URL, joining', () => {
  it('asks the check who joins what from where, and passes on 2xx', async () => {
    answering(204);
    const hall = await world.openHall();
    const fan = await world.fan();
    const from = checker.received.length;
    const headers = { ...fan.asUser, 'user-agent': 'A fan/1.0' };
    expect((await fan.call('POST', `/v1/concerts/${hall}/queue`, { headers })).status).toBe(201);
    const [asked, ...more] = checker.received.slice(from);
    expect(more).toEqual([]);
    expect(asked?.method).toBe('POST');
    expect(asked?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      concertId: hall,
      userId: fan.userId,
      clientAddress: '127.0.0.1',
      userAgent: 'A fan/1.0',
    });
  });

  it('is refused on 403, whatever happens on failures', async () => {
    answering(403);
    const hall = await world.openHall();
    for (const door of [closed, open]) {
      const fan = await world.fan({ doors: [door] });
      expect(toldBy(await fan.join(hall))).toEqual([403, 'join-refused']);
    }
  });

  it.each([500, 302, 429])(
    'waits for the check or passes, as the operator chose, while it answers %d',
    async (status) => {
      answering(status);
      const hall = await world.openHall();
      const [refused, passed] = [await world.fan({ doors: [closed] }), await world.fan({ doors: [open] })];
      const answer = await refused.join(hall);
      expect(toldBy(answer)).toEqual([503, 'unavailable']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect((await passed.join(hall)).status).toBe(201);
    },
  );

  it('does so after the time limit while the check does not answer, and says so in the log', async () => {
    checker.answers(() => {});
    const hall = await world.openHall();
    const [refused, passed] = [await world.fan({ doors: [closedSoon] }), await world.fan({ doors: [openSoon] })];
    expect(toldBy(await refused.join(hall))).toEqual([503, 'unavailable']);
    expect((await passed.join(hall)).status).toBe(201);
    for (const instance of [closedSoon, openSoon]) {
      const failures = () => instance.log().filter(({ msg }) => msg === 'join check failed');
      await until('the failure is in the log', () => failures().length > 0);
      expect(failures()[0]).toMatchObject({ reason: `timeout after ${IMPATIENT_MS} ms`, count: 1 });
    }
  });

  it('keeps nobody else waiting while the check takes its time', async () => {
    const hall = await world.openHall();
    answering(204);
    const [early, late] = await world.fans(2, { doors: [closed] });
    await early.join(hall);
    const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
    checker.answers((_, response) => void decided.then(() => response.writeHead(204).end()));
    const from = checker.received.length;
    const joining = late.join(hall);
    await until('the check is asked', () => checker.received.length > from);
    expect((await early.poll()).status).toBe(200);
    decide();
    expect((await joining).status).toBe(201);
  });

  it('again returns the same entry, whatever the check says by now', async () => {
    answering(204);
    const hall = await world.openHall();
    const fan = await world.fan({ doors: [closed] });
    const first = await fan.join(hall);
    for (const status of [403, 500]) {
      answering(status);
      const again = await fan.join(hall);
      expect([again.status, again.body.token]).toEqual([200, first.body.token]);
    }
  });
});

describe('a check', () => {
  const attempt = {
    concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
    userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
    clientAddress: '192.0.2.7',
    userAgent: undefined,
  };
  const opened: { close(): void }[] = [];
  afterAll(() => {
    for (const one of opened) one.close();
  });

  function checkAt(url: string) {
    const reasons: string[] = [];
    const made = httpJoinCheck({ url, timeoutMs: Number(PATIENT_MS) }, (reason) => reasons.push(reason));
    opened.push(made);
    return { reasons, check: () => made.check(attempt) };
  }

  it('is asked again if the server closed an idle connection in the moment of its use', async () => {
    const sockets = new Map<Socket, number>();
    const server = createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', () => {
          const requests = (sockets.get(socket) ?? 0) + 1;
          sockets.set(socket, requests);
          if (requests === 1) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
          else socket.destroy();
        });
    });
    opened.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { check, reasons } = checkAt(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
    for (let times = 0; times < 3; times++) expect(await check()).toBe('allowed');
    expect([...sockets.values()]).toEqual([2, 2, 1]);
    expect(reasons).toEqual([]);
  });

  it('fails at once beyond the limit of checks at once, and they share few connections', async () => {
    const slow = await startReceiver();
    const ports = new Set<number | undefined>();
    const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
    slow.answers((_, response) => {
      ports.add(response.socket?.remotePort);
      void decided.then(() => response.writeHead(204).end());
    });
    const { check, reasons } = checkAt(slow.url);
    const crowd = Array.from({ length: CHECKS_MAX }, check);
    expect(await check()).toBe('failed');
    expect(reasons).toEqual([`more than ${CHECKS_MAX} checks at once`]);
    decide();
    expect(new Set(await Promise.all(crowd))).toEqual(new Set(['allowed']));
    expect(ports.size).toBeLessThanOrEqual(100);
    expect(await check()).toBe('allowed');
  });

  it('that waits for a connection fails at its time limit as well', async () => {
    const silent = await startReceiver();
    silent.answers(() => {});
    const impatient = httpJoinCheck({ url: silent.url, timeoutMs: Number(IMPATIENT_MS) }, () => {});
    opened.push(impatient);
    const crowd = await Promise.all(Array.from({ length: 300 }, () => impatient.check(attempt)));
    expect(new Set(crowd)).toEqual(new Set(['failed']));
  });

  it('sends the credentials in its URL', async () => {
    const { url, received } = await startReceiver();
    expect(await checkAt(url.replace('//', '//frontrow:pass%20word@')).check()).toBe('allowed');
    expect(received[0]?.headers.authorization).toBe(`Basic ${btoa('frontrow:pass word')}`);
  });

  it('fails if nobody is there', async () => {
    const { check, reasons } = checkAt('http://127.0.0.1:1/');
    expect([await check(), await check()]).toEqual(['failed', 'failed']);
    // An outage is reported every ten seconds.
    expect(reasons).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });
});
