import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { payment, paymentPage } from '#adapters/http/booking/payment-schemas.ts';
import { reservation, reservationPage } from '#adapters/http/booking/reservation-schemas.ts';
import { dates, seats } from '#adapters/http/catalog/concert-schemas.ts';
import { health } from '#adapters/http/health-schemas.ts';
import { joined, queueStatus } from '#adapters/http/queue/queue-schemas.ts';
import { entryPage } from '#adapters/http/wallet/user-schemas.ts';
import { activeClient, type Client, newClient } from '#tests/support/client/client.ts';
import { contract } from '#tests/support/contract.ts';
import { contractClient, type Reply } from '#tests/support/contract-client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY, type Instance } from '#tests/support/instance.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';
import { SHOP, sharedWorld, startWorld } from '#tests/support/world.ts';

const world = await sharedWorld();
const [instance, elsewhere] = world.instances as [Instance, Instance];
const { url } = instance;
/** Apart from the rest: without origins and admin keys, on a Redis that a test sets otherwise, and to be stopped. */
const redis = await ownRedis();
const apart = await startWorld({
  instances: 1,
  redisUrl: redis.url,
  settings: { LOG_LEVEL: 'info', ADMIN_KEYS: '' },
});
const [strict] = apart.instances as [Instance];
const call = contractClient(url);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const enter = (concertId: string) => activeClient(call, concertId);

describe('the request id', () => {
  const answeredTo = async (sent?: string) => {
    const reply = await call('GET', '/livez', { headers: sent === undefined ? {} : { 'x-request-id': sent } });
    return reply.headers.get('x-request-id');
  };

  test.each(['order-42', 'a.b_c-D', 'x'.repeat(64)])('is the one that was sent: %s', async (sent) => {
    expect(await answeredTo(sent)).toBe(sent);
  });

  test.each([undefined, '', 'two words', 'x'.repeat(65), '{"level":60}', 'a;b', 'é'])(
    'is a new one when %j is sent',
    async (sent) => {
      const [one, other] = [await answeredTo(sent), await answeredTo(sent)];
      expect(one).toMatch(UUID);
      expect(other).toMatch(UUID);
      expect(one).not.toBe(other);
    },
  );

  test('is the instance of a problem', async () => {
    const reply = await call('GET', '/v1/queue', { headers: { 'x-request-id': 'order-42' } });
    expect(reply.body).toMatchObject({ code: 'queue-token-missing', instance: 'order-42' });
  });
});

describe('security headers', () => {
  const ALL = [
    '/livez',
    '/v1/concerts',
    '/v1/queue',
    '/nowhere',
    '/v1/concerts/%zz',
    '/openapi.json',
    '/docs/',
    '/docs/json',
  ];
  test.each(ALL)('on %s forbid content sniffing, and reveal nothing about the server', async (path) => {
    const { headers } = await fetch(`${url}${path}`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-request-id')).toMatch(UUID);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  test.each(['/docs/', '/docs/static/index.html'])(
    'keep the page %s from being framed and from running foreign scripts',
    async (path) => {
      const { headers } = await fetch(`${url}${path}`);
      expect(headers.get('content-type')).toContain('text/html');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('strict-transport-security')).toContain('max-age=');
    },
  );

  test('are few on answers that are never rendered', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    const { headers } = await fan.poll();
    const framing = ['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'vary'];
    const own = [...headers.keys()].filter((name) => !framing.includes(name) && !name.startsWith('access-control-'));
    expect(own.toSorted()).toEqual(['cache-control', 'retry-after', 'x-content-type-options', 'x-request-id']);
  });
});

describe('CORS', () => {
  const preflight = (origin: string, method: string) =>
    fetch(`${url}/v1/queue`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type,idempotency-key,queue-token',
      },
    });

  test.each(['GET', 'POST', 'DELETE'])('lets an origin of the settings %s, with our headers', async (method) => {
    const { status, headers } = await preflight(SHOP, method);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(headers.get('access-control-allow-methods')?.split(', ')).toContain(method);
    expect(headers.get('access-control-allow-headers')).toContain('queue-token');
    expect(Number(headers.get('access-control-max-age'))).toBeGreaterThan(600);
  });

  test('exposes the needed headers to that origin, and makes caches vary by origin', async () => {
    const { headers } = await call('GET', '/v1/concerts', { headers: { origin: SHOP } });
    expect(headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(headers.get('vary')?.toLowerCase()).toContain('origin');
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    expect(exposed).toEqual([
      'etag',
      'idempotency-replayed',
      'link',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'x-request-id',
    ]);
  });

  test('exposes nothing to another origin', async () => {
    for (const { headers } of [
      await preflight('https://evil.example', 'POST'),
      await call('GET', '/v1/concerts', { headers: { origin: 'https://evil.example' } }),
    ]) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('is off without an origin in the settings', async () => {
    const reply = await contractClient(strict.url)('GET', '/v1/concerts', { headers: { origin: SHOP } });
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('caches', () => {
  test('store no answers about a user, and no state of the service', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    const { reservationId } = (await fan.reserve([1])).as(reservation);
    const private_ = [
      await call('POST', '/v1/users'),
      await fan.join(concertId),
      await fan.poll(),
      await fan.get(`/v1/concerts/${concertId}/dates`, fan.inQueue),
      await fan.get(`/v1/reservations/${reservationId}`),
      await fan.get('/v1/payments'),
      await fan.get(`/v1/users/${fan.userId}/balance`),
      await fan.pay(reservationId),
      await call('GET', '/v1/queue'),
      await call('GET', '/livez'),
      await call('GET', '/readyz'),
    ];
    expect(private_.map(({ headers }) => headers.get('cache-control'))).toEqual(private_.map(() => 'no-store'));
  });

  test('store concerts for a second', async () => {
    const concertId = await world.openHall();
    for (const path of ['/v1/concerts', `/v1/concerts/${concertId}`]) {
      expect((await call('GET', path)).headers.get('cache-control')).toBe('public, max-age=1');
    }
  });
});

describe('the ETag of the seats', () => {
  const listSeats = (fan: Client<Reply>, concertId: string, ifNoneMatch?: string, query = '') =>
    fan.get(`/v1/concerts/${concertId}/dates/${DATE}/seats${query}`, {
      ...fan.inQueue,
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    });

  test('is strong, and identifies the content', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    const [one, again] = [await listSeats(fan, concertId), await listSeats(fan, concertId)];
    expect(one.headers.get('etag')).toBe(`"${one.as(seats).revision}"`);
    expect(again.headers.get('etag')).toBe(one.headers.get('etag'));
    expect(one.headers.get('cache-control')).toBe('private, no-cache');
    const onlyFree = await listSeats(fan, concertId, undefined, '?available=true');
    expect(onlyFree.headers.get('etag')).toBe(one.headers.get('etag'));
  });

  test('saves a client with the same content the body', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    const etag = (await listSeats(fan, concertId)).headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, `"other",W/"weak" , ${etag}`, '*']) {
      const reply = await listSeats(fan, concertId, known);
      expect([reply.status, reply.body, reply.headers.get('etag')], known).toEqual([304, undefined, etag]);
    }
    for (const known of ['"other"', etag.slice(1, -1), `"${etag.slice(1, -2)}"`, '']) {
      expect((await listSeats(fan, concertId, known)).status, known).toBe(200);
    }
  });

  test('changes at once for the user who holds a seat, and soon for everybody else', async () => {
    const concertId = await world.openHall();
    const [holder, watcher] = [await enter(concertId), await enter(concertId)];
    const watch = contractClient(elsewhere.url);
    const path = `/v1/concerts/${concertId}/dates/${DATE}/seats`;
    const etag = (await listSeats(holder, concertId)).headers.get('etag') ?? '';
    const headers = { ...watcher.inQueue, 'if-none-match': etag };
    expect((await watch('GET', path, { headers })).status).toBe(304);

    await holder.reserve([7]);
    const own = await listSeats(holder, concertId, etag);
    expect(own.status).toBe(200);
    expect(own.as(seats).items[6]).toMatchObject({ seatNumber: 7, status: 'HELD' });
    await until('another user sees it', async () => (await watch('GET', path, { headers })).status === 200);
  });

  test('of the free seats changes with them', async () => {
    const concertId = await world.openHall({ seats: 3 });
    const fan = await enter(concertId);
    await fan.reserve([2]);
    const all = await listSeats(fan, concertId);
    const free = await listSeats(fan, concertId, undefined, '?available=true');
    expect(free.as(seats).items.map(({ seatNumber }) => seatNumber)).toEqual([1, 3]);
    expect(all.as(seats).items.map(({ status }) => status)).toEqual(['AVAILABLE', 'HELD', 'AVAILABLE']);
    expect(free.headers.get('etag')).not.toBe(all.headers.get('etag'));
  });
});

describe('the dates', () => {
  test('are those with a free seat, or all on request', async () => {
    const concertId = await world.openHall({ seats: 1 });
    const fan = await enter(concertId);
    const listed = async (query: string) =>
      (await fan.get(`/v1/concerts/${concertId}/dates${query}`, fan.inQueue)).as(dates).items;
    expect(await listed('')).toMatchObject([{ date: DATE, seatsTotal: 1, seatsAvailable: 1 }]);

    await fan.reserve([1]);

    expect(await listed('')).toEqual([]);
    expect(await listed('?all=false')).toEqual([]);
    expect(await listed('?all=true')).toMatchObject([{ date: DATE, seatsTotal: 1, seatsAvailable: 0 }]);
  });
});

describe('the queue', () => {
  test('says when to poll again, in body and header, for every queue status', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    const [active, waiting] = [await enter(concertId), await newClient(call)];
    await waiting.join(concertId);
    const statuses: string[] = [];
    const poll = async (client: Client<Reply>) => {
      const reply = await client.poll();
      const { status, pollAfterSeconds } = reply.as(queueStatus);
      expect(reply.headers.get('retry-after')).toBe(String(pollAfterSeconds));
      statuses.push(status);
    };
    await poll(active);
    await poll(waiting);
    await active.leave();
    await poll(active);
    expect(statuses).toEqual(['ACTIVE', 'WAITING', 'EXPIRED']);
  });

  test('has one entry per user: joining again returns the same entry and the same token', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    await enter(concertId);
    const fan = await newClient(call);
    const [first, again] = [await fan.join(concertId), await fan.join(concertId)];
    expect([first.status, again.status]).toEqual([201, 200]);
    const { token, sequence, joinedAt, position } = first.as(joined);
    expect(again.as(joined)).toMatchObject({ token, sequence, joinedAt, position });
  });

  test('is left for good: joining again goes to the end', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    await enter(concertId);
    const [fan, next] = [await newClient(call), await newClient(call)];
    const first = (await fan.join(concertId)).as(joined);
    const behind = (await next.join(concertId)).as(joined);
    const left = fan.inQueue;

    expect((await fan.leave()).status).toBe(204);
    expect((await fan.leave()).status).toBe(204);
    expect((await fan.get('/v1/queue', left)).as(queueStatus).status).toBe('EXPIRED');

    const rejoined = await fan.join(concertId);
    expect(rejoined.status).toBe(201);
    expect(rejoined.as(joined)).toMatchObject({ status: 'WAITING', position: 2 });
    expect(rejoined.as(joined).sequence).toBeGreaterThan(behind.sequence);
    expect(rejoined.as(joined).token).not.toBe(first.token);
    expect((await fan.get('/v1/queue', left)).as(queueStatus).status).toBe('EXPIRED');
  });

  test('is open only while sales are', async () => {
    const [early, late] = [await world.openHall(), await world.openHall()];
    const opensAt = '2098-12-01T11:00:00.000Z';
    await world.pool.query('UPDATE concerts SET sales_open_at = $2 WHERE concert_id = $1', [early, opensAt]);
    await world.pool.query(`UPDATE concert_dates SET starts_at = '2020-01-01' WHERE concert_id = $1`, [late]);
    const fan = await newClient(call);
    const tooEarly = await fan.join(early);
    expect([tooEarly.status, tooEarly.code]).toEqual([403, 'sales-not-open']);
    expect(tooEarly.body).toMatchObject({ opensAt });
    const tooLate = await fan.join(late);
    expect([tooLate.status, tooLate.code]).toEqual([403, 'sales-closed']);
    const nowhere = await fan.join(randomUUID());
    expect([nowhere.status, nowhere.code]).toEqual([404, 'concert-not-found']);
  });

  test('that is full refuses joins as queue-full, with Retry-After', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    await world.pool.query('UPDATE concerts SET waiting_max = 1 WHERE concert_id = $1', [concertId]);
    await enter(concertId);
    const [last, oneTooMany] = [await newClient(call), await newClient(call)];
    expect((await last.join(concertId)).status).toBe(201);

    const full = await oneTooMany.join(concertId);

    expect([full.status, full.code]).toEqual([503, 'queue-full']);
    expect(full.body).toMatchObject({ retryAfterSeconds: Number(full.headers.get('retry-after')) });
    expect((await last.join(concertId)).status).toBe(200);
  });
});

describe('a list', () => {
  type PageOf<Item> = { items: Item[]; nextCursor?: string | undefined };

  /** Follows the links to the end. Between the pages something new is added in front, which must not disturb. */
  async function follow<Item>(
    fan: Client<Reply>,
    path: string,
    as: (reply: Reply) => PageOf<Item>,
    add: () => Promise<unknown>,
  ) {
    const pages: Item[][] = [];
    for (let next: string | undefined = `${path}?limit=2`; next !== undefined; ) {
      const reply: Reply = await fan.get(next);
      const page = as(reply);
      pages.push(page.items);
      next = /^<(.+)>; rel="next"$/.exec(reply.headers.get('link') ?? '')?.[1];
      const cursor = next === undefined ? undefined : new URL(next, url).searchParams.get('cursor');
      expect(cursor).toBe(page.nextCursor);
      if (next !== undefined) expect(new URL(next, url).searchParams.get('limit')).toBe('2');
      await add();
    }
    return pages;
  }

  test('of reservations has each one once, newest first', async () => {
    const concertId = await world.openHall({ seatsPerUserMax: 20 });
    const fan = await enter(concertId);
    let seat = 1;
    const reserve = async () => (await fan.reserve([seat++])).as(reservation).reservationId;
    const made = [await reserve(), await reserve(), await reserve(), await reserve(), await reserve()];

    const pages = await follow(fan, '/v1/reservations', (reply) => reply.as(reservationPage), reserve);

    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().map(({ reservationId }) => reservationId)).toEqual(made.toReversed());
  });

  test('of payments has each one once, newest first', async () => {
    const concertId = await world.openHall({ seatsPerUserMax: 20 });
    const fan = await newClient(call);
    await fan.charge(20 * PRICE);
    let seat = 1;
    const pay = async () => {
      await fan.enter(concertId);
      const { reservationId } = (await fan.reserve([seat++])).as(reservation);
      return (await fan.pay(reservationId)).as(payment).paymentId;
    };
    const made = [await pay(), await pay(), await pay(), await pay()];

    const pages = await follow(fan, '/v1/payments', (reply) => reply.as(paymentPage), pay);

    expect(pages.map((page) => page.length)).toEqual([2, 2]);
    expect(pages.flat().map(({ paymentId }) => paymentId)).toEqual(made.toReversed());
  });

  test('of ledger entries has each one once, newest first', async () => {
    const fan = await newClient(call);
    let amount = 1;
    const charge = () => fan.charge(amount++);
    for (let made = 0; made < 5; made++) await charge();

    const path = `/v1/users/${fan.userId}/balance/entries`;
    const pages = await follow(fan, path, (reply) => reply.as(entryPage), charge);

    expect(pages.map((page) => page.map((entry) => entry.amount))).toEqual([[5, 4], [3, 2], [1]]);
  });

  test('has only the user’s own records', async () => {
    const concertId = await world.openHall();
    const [fan, other] = [await enter(concertId), await enter(concertId)];
    await fan.charge(PRICE);
    const { reservationId } = (await fan.reserve([1])).as(reservation);
    await fan.pay(reservationId);
    expect((await other.get('/v1/reservations')).as(reservationPage)).toEqual({ items: [] });
    expect((await other.get('/v1/payments')).as(paymentPage)).toEqual({ items: [] });
    const theirs = await other.get(`/v1/users/${fan.userId}/balance/entries`);
    expect([theirs.status, theirs.code]).toEqual([403, 'forbidden']);
  });
});

describe('HEAD', () => {
  test('has the headers of GET, and no body', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    for (const [path, headers] of [
      ['/livez', {}],
      ['/v1/concerts', {}],
      ['/v1/queue', fan.inQueue],
      [`/v1/concerts/${concertId}/dates/${DATE}/seats`, fan.inQueue],
      ['/v1/reservations', fan.asUser],
    ] as const) {
      const [head, get] = [await call('HEAD', path, { headers }), await call('GET', path, { headers })];
      expect([head.status, head.body], path).toEqual([200, undefined]);
      for (const name of ['content-type', 'etag', 'cache-control']) {
        expect(head.headers.get(name), `${path} ${name}`).toBe(get.headers.get(name));
      }
    }
  });
});

describe('the log', () => {
  type Line = { readonly msg: string; readonly requestId?: string; readonly status?: number };
  const linesOf = (requestId: string) =>
    (instance.log() as readonly Line[]).filter((line) => line.requestId === requestId);

  test('has one line per request, for every outcome', async () => {
    const concertId = await world.openHall();
    const fan = await newClient(call);
    const requests = [
      ['GET', `/v1/concerts/${concertId}`, 200],
      ['GET', '/v1/reservations', 200],
      ['GET', '/v1/queue', 401],
      ['GET', '/v1/concerts/one', 400],
      ['GET', '/nowhere', 404],
      ['GET', '/v1/concerts/%zz', 400],
    ] as const;
    for (const [method, path, status] of requests) {
      const id = randomUUID();
      await call(method, path, { headers: { ...fan.asUser, 'x-request-id': id } });
      await until(`${path} is logged`, () => linesOf(id).length > 0);
      const expected = { level: 30, msg: 'answered', method, path, status, milliseconds: expect.any(Number) };
      expect(linesOf(id), path).toMatchObject([expected]);
    }
  });

  test('has the user of each request, and never a credential', async () => {
    const concertId = await world.openHall();
    const fan = await enter(concertId);
    const idempotencyKey = randomUUID();
    await fan.reserve([1], idempotencyKey);
    const id = randomUUID();
    const token = fan.token;
    const headers = { ...fan.asUser, ...fan.inQueue, 'x-request-id': id };
    await call('GET', `/v1/reservations?cursor=${encodeURIComponent(token.slice(0, 90))}`, { headers });
    await until('it is logged', () => linesOf(id).length > 0);

    expect(linesOf(id)).toMatchObject([{ userId: fan.userId }]);
    const whole = JSON.stringify(instance.log());
    const accessToken = fan.accessToken;
    for (const secret of [token, token.slice(0, 90), accessToken, accessToken.slice(-43), 'authorization']) {
      expect(secret).not.toBe('');
      expect(whole).not.toContain(secret);
    }
  });
});

describe('an admin key', () => {
  test('opens nothing if none is configured', async () => {
    for (const key of [ADMIN_KEY, '', 'undefined']) {
      const headers = { authorization: `Bearer ${key}` };
      const refused = await contractClient(strict.url)('POST', '/v1/admin/concerts', { headers, body: {} });
      expect(refused.status).toBe(401);
    }
  });
});

describe('readiness', () => {
  test('reports Redis and Postgres', async () => {
    await until('it is ready', async () => (await call('GET', '/readyz')).status === 200);
    const healthy = { status: 'ready', checks: { postgres: 'up', redis: 'up' } };
    await until('both stores are up', async () =>
      isDeepStrictEqual((await call('GET', '/readyz')).as(health), healthy),
    );
    expect((await call('GET', '/livez')).body).toEqual({ status: 'alive' });
  });

  test('is 503 while Redis may evict keys; the process is still live', async () => {
    const client = new Redis(redis.url);
    const ask = contractClient(strict.url);
    const unfit = { status: 'not-ready', checks: { postgres: 'up', redis: 'down' } };
    for (const policy of ['allkeys-lru', 'volatile-ttl']) {
      await client.config('SET', 'maxmemory-policy', policy);
      await until('readiness reports it', async () => {
        const reply = await ask('GET', '/readyz');
        return reply.status === 503 && isDeepStrictEqual(reply.as(health), unfit);
      });
      expect((await ask('GET', '/livez')).status).toBe(200);
    }
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await until('it is ready again', async () => (await ask('GET', '/readyz')).status === 200);
    client.disconnect();
  });

  // The last test that needs this instance.
  test('is 503 during shutdown, while requests are finished, and no poll is lost from the log', async () => {
    const fan = await newClient(contractClient(strict.url));
    await fan.join(await apart.openHall());
    await fan.poll();
    await fan.poll();
    await fan.get('/v1/queue', { 'queue-token': 'x' });
    const socket = connect(Number(new URL(strict.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n');
    // Behind the unfinished one, so that this request is there for sure before the signal comes.
    await fetch(`${strict.url}/livez`);

    const ended = strict.end('SIGTERM');
    await until('the server has stopped listening', () =>
      fetch(`${strict.url}/livez`).then(
        () => false,
        () => true,
      ),
    );
    socket.write('\r\n');

    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('"status":"not-ready"');
    expect(await ended).toEqual({ code: 0, signal: null });
    const lines = strict.log();
    const summaries = lines.filter(({ msg }) => msg === 'polls answered');
    expect(summaries.reduce((sum, { count }) => sum + Number(count), 0)).toBe(3);
    const answered = lines.filter(({ route }) => route === '/v1/queue');
    expect(answered.map(({ status }) => status)).toEqual([401]);
  });
});

describe('the documentation', () => {
  test('is served as a page without foreign resources', async () => {
    const page = await fetch(`${url}/docs/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    const sources = [...html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g)].map(
      ([, source]) => source ?? '',
    );
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) {
      const address = new URL(source, `${url}/docs/`);
      expect(address.origin).toBe(url);
      expect((await fetch(address)).status, source).toBe(200);
    }
    expect(html).not.toMatch(/<script(?![^>]+src=)[^>]*>[^<]/);
  });

  test('is the document of this repository', async () => {
    for (const path of ['/openapi.json', '/docs/json']) {
      expect(await (await fetch(`${url}${path}`)).json()).toEqual(contract);
    }
  });
});
