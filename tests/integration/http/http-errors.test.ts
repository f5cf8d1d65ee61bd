import { randomUUID } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reservation, reservationPage } from '#adapters/http/booking/reservation-schemas.ts';
import { activeClient, type CallOptions, type Client } from '#tests/support/client/client.ts';
import { checkedReply, contractClient, type Reply } from '#tests/support/contract-client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY, SECRETS } from '#tests/support/instance.ts';
import { rawRequest } from '#tests/support/raw-request.ts';
import { sharedWorld } from '#tests/support/world.ts';

/** As the settings come. */
const BODY_LIMIT_BYTES = 16_384;
const HEAD_LIMIT_BYTES = 16_384;
const world = await sharedWorld();
// The second one has no origins: where there are some, OPTIONS is answered by what serves them.
const url = world.instances[1]?.url ?? '';
const call = contractClient(url);

let concertId: string;
/** Is in, has money, and holds seat 1. Whatever is sent in their name below must change nothing of that. */
let fan: Client<Reply>;
/** Another user, in the same concert. */
let other: Client<Reply>;
let before: unknown;

beforeAll(async () => {
  concertId = await world.openHall();
  [fan, other] = [await activeClient(call, concertId), await activeClient(call, concertId)];
  await fan.charge(10 * PRICE);
  await fan.reserve([1]);
});

beforeEach(async () => {
  before = await everything();
});

afterEach(async () => {
  expect(await everything()).toEqual(before);
});

/** All that a request could have changed. */
async function everything() {
  const { rows } = await world.pool.query(
    `SELECT (SELECT balance FROM wallets WHERE user_id = $2) AS balance,
       (SELECT count(*) FROM ledger_entries WHERE user_id = $2) AS entries,
       (SELECT count(*) FROM reservations WHERE concert_id = $1) AS reservations,
       (SELECT array_agg(seat_number || status::text ORDER BY seat_number) FROM seats
         WHERE concert_id = $1 AND status <> 'AVAILABLE') AS seats,
       (SELECT count(*) FROM payments WHERE user_id = $2) AS payments,
       (SELECT count(*) FROM idempotency_keys WHERE user_id = $2) AS answers`,
    [concertId, fan.userId],
  );
  return rows[0];
}

/** What was answered, in short; and nothing in it may come from the inside. */
function verdict(reply: Reply): string {
  expect(JSON.stringify(reply.body)).not.toMatch(
    /\.ts\b|node_modules|\bat \S+ \(|SELECT|INSERT|SQL|pg_|prisma|ioredis/i,
  );
  return `${reply.status} ${reply.code}`;
}

const INVALID = '400 validation-failed';
const key = () => ({ 'idempotency-key': randomUUID() });
const json = { 'content-type': 'application/json' };
const reserve = (options: CallOptions) =>
  call('POST', '/v1/reservations', { ...options, headers: { ...fan.inQueue, ...key(), ...options.headers } });

describe('a call that does not exist', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/v2/concerts'],
    ['GET', '/v1/queue/'],
    ['GET', '/v1/Concerts'],
    ['GET', '/v1/concerts/one/two/three'],
    ['GET', '/favicon.ico'],
    ['GET', '/.env'],
    ['POST', '/v1/concerts'],
    ['PUT', '/v1/queue'],
    ['PATCH', '/v1/reservations'],
    ['DELETE', '/v1/payments'],
    ['OPTIONS', '/v1/payments'],
    ['POST', '/readyz'],
  ])('is refused as route-not-found: %s %s', async (method, path) => {
    expect(verdict(await call(method, path, { headers: fan.asUser }))).toBe('404 route-not-found');
  });
});

describe('a body', () => {
  it.each([
    ['is not JSON', '{"date":'],
    ['is empty', ''],
    ['is null', 'null'],
    ['is a list', '[]'],
    ['is a string', '"text"'],
    ['is a number', '42'],
    ['is an empty object', '{}'],
    ['has a prototype', `{"__proto__":{"admin":true},"date":"${DATE}","seatNumbers":[7]}`],
    ['has a constructor', `{"constructor":{"prototype":{"admin":true}},"date":"${DATE}","seatNumbers":[7]}`],
    ['is nested deeply', `{"date":"${DATE}","seatNumbers":${'['.repeat(7_000)}${']'.repeat(7_000)}}`],
    ['ends in a NUL byte', `{"date":"${DATE}","seatNumbers":[7]}\u0000`],
  ])('that %s is refused', async (_, text) => {
    expect(verdict(await reserve({ headers: json, text }))).toBe(INVALID);
  });

  it('that is missing is refused', async () => {
    expect(verdict(await reserve({}))).toBe(INVALID);
  });

  it.each(['a\u0000b', '\ud800'])('with text that Postgres cannot store is refused: %j', async (odd) => {
    const wish = { date: DATE, quantity: 1, adjacent: true };
    const seats = [{ first: 1, last: 2, price: 1 }];
    const plan = {
      ...{ title: 'A new one', venue: 'A hall', salesOpenAt: '2026-01-01T00:00:00.000Z' },
      dates: [{ date: DATE, startsAt: `${DATE}T10:00:00.000Z`, seats }],
    };
    const create = (body: object) =>
      call('POST', '/v1/admin/concerts', { headers: { authorization: `Bearer ${ADMIN_KEY}` }, body });
    const answers = [
      ...[await reserve({ body: { ...wish, section: odd } }), await reserve({ body: { ...wish, grade: odd } })],
      ...[await create({ ...plan, title: odd }), await create({ ...plan, venue: odd })],
    ];
    expect(answers.map(verdict)).toEqual(Array(4).fill(INVALID));
  });

  it('that is too large is refused', async () => {
    const text = JSON.stringify({ date: DATE, seatNumbers: [7], padding: 'x'.repeat(BODY_LIMIT_BYTES) });
    expect(verdict(await reserve({ headers: json, text }))).toBe('413 body-too-large');
  });

  it('that is too large without a content length is refused', async () => {
    const token = fan.token;
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const head = `POST /v1/reservations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nQueue-Token: ${token}\r\nIdempotency-Key: k\r\n`;
    const response = await rawRequest(url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`);
    expect(verdict(await checkedReply('POST', '/v1/reservations', response))).toBe('413 body-too-large');
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/octet-stream', 'nonsense'])(
    'that is %s is refused',
    async (type) => {
      const text = JSON.stringify({ date: DATE, seatNumbers: [7] });
      expect(verdict(await reserve({ headers: { 'content-type': type }, text }))).toBe('415 media-type-unsupported');
    },
  );
});

describe('a call that takes no body', () => {
  it.each(['/v1/users', '/v1/concerts/{concertId}/queue'])(
    'is served with a JSON content type and no body: %s',
    async (path) => {
      const headers = { ...fan.asUser, ...json };
      const reply = await call('POST', path.replace('{concertId}', concertId), { headers, text: '' });
      expect([200, 201]).toContain(reply.status);
    },
  );
});

describe('a reservation', () => {
  it.each([
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    'not-a-date',
    '20990501',
    '2099-5-1',
    '2099-05-01T00:00:00Z',
    '0000-01-01',
    '0000-02-29',
    '1899-12-31',
    ' 2099-05-01',
    '2099-05-01\u0000',
    "2099-05-01'; DROP TABLE seats; --",
    '',
    5,
    null,
    ['2099-05-01'],
    {},
  ])('for the date %j is refused', async (date) => {
    expect(verdict(await reserve({ body: { date, seatNumbers: [7] } }))).toBe(INVALID);
  });

  it.each(['2020-01-01', '2098-01-01', '1900-01-01', '9999-12-31'])(
    'for %s, which is no date of the concert, is refused',
    async (date) => {
      expect(verdict(await reserve({ body: { date, seatNumbers: [7] } }))).toBe('404 date-not-found');
    },
  );

  it.each([
    ['none', []],
    ['seat 0', [0]],
    ['a negative seat', [-7]],
    ['half a seat', [7.5]],
    ['a seat in words', ['7']],
    ['no seat at all', [null]],
    ['a huge seat', [1e308]],
    ['a seat beyond the largest number', [1_000_001]],
    ['a seat twice', [7, 7]],
    ['too many seats', Array.from({ length: 21 }, (_, index) => index + 1)],
    ['a list in a list', [[7]]],
    ['a number', 7],
    ['an object', { length: 1, 0: 7 }],
    ['null', null],
  ])('for %s is refused', async (_, seatNumbers) => {
    expect(verdict(await reserve({ body: { date: DATE, seatNumbers } }))).toBe(INVALID);
  });

  const best = { quantity: 2, adjacent: true };
  it.each<[mistake: string, path: string, asked: object]>([
    ['neither seats nor how many', 'body/seatNumbers', {}],
    ['both', 'body/seatNumbers', { ...best, seatNumbers: [7, 8] }],
    ['seats anywhere', 'body/adjacent', { quantity: 2 }],
    ['seats apart', 'body/adjacent', { ...best, adjacent: false }],
    ['a section of named seats', 'body/quantity', { seatNumbers: [7], section: 'Stalls' }],
    ['nothing', 'body/quantity', { ...best, quantity: 0 }],
    ['a fraction of seats', 'body/quantity', { ...best, quantity: 1.5 }],
    ['too many', 'body/quantity', { ...best, quantity: 21 }],
    ['a grade without a name', 'body/grade', { ...best, grade: '' }],
    ['a section with a long name', 'body/section', { ...best, section: 'x'.repeat(51) }],
  ])('for %s is refused, with the path of the fault', async (_, path, asked) => {
    const reply = await reserve({ body: { date: DATE, ...asked } });
    expect(verdict(reply)).toBe(INVALID);
    expect((reply.body as { errors: { path: string }[] }).errors.map((error) => error.path)).toContain(path);
  });

  it.each([{ section: 'Stalls' }, { grade: 'R' }, { quantity: 11 }])(
    'for the best seats is refused if there are none: %j',
    async (asked) => {
      const reply = await reserve({ body: { date: DATE, ...best, ...asked } });
      expect(verdict(reply)).toBe('409 no-adjacent-seats');
    },
  );

  it.each([[[51]], [[7, 51]], [[1_000_000]]])('for seats that the hall does not have is refused: %j', async (seats) => {
    const reply = await reserve({ body: { date: DATE, seatNumbers: seats } });
    expect(verdict(reply)).toBe('404 seat-not-found');
    expect(reply.body).toMatchObject({ seatNumbers: seats.filter((seat) => seat > 50) });
  });

  it('of a deleted user is refused', async () => {
    const ghost = await activeClient(call, concertId);
    await world.pool.query('DELETE FROM wallets WHERE user_id = $1', [ghost.userId]);
    await world.pool.query('DELETE FROM users WHERE user_id = $1', [ghost.userId]);
    expect(verdict(await ghost.reserve([7]))).toBe('404 user-not-found');
  });

  it('for another user, or at a price of the client, is impossible', async () => {
    const sneaky = { date: DATE, seatNumbers: [2], userId: other.userId, amount: 1, status: 'CONFIRMED' };
    const reply = await reserve({ body: sneaky });
    const { reservationId, ...held } = reply.as(reservation);
    expect(held).toMatchObject({ userId: fan.userId, amount: PRICE, status: 'HELD' });
    expect((await fan.release(reservationId)).status).toBe(204);
    before = await everything();
  });
});

describe('a charge', () => {
  const charge = (body: unknown, path = fan.userId) =>
    call('POST', `/v1/users/${path}/balance/charges`, { headers: { ...fan.asUser, ...key() }, body });

  it.each([0.5, 1e308, 2 ** 53, '100', '', null, true, [], [100], {}, undefined])(
    'of %j is refused',
    async (amount) => {
      expect(verdict(await charge({ amount }))).toBe(INVALID);
    },
  );

  it.each([0, -1, 10_000_001, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'of %j is refused, with the bounds',
    async (amount) => {
      const reply = await charge({ amount });
      expect(verdict(reply)).toBe('400 amount-out-of-range');
      expect(reply.body).toMatchObject({ min: 1, max: 10_000_000 });
    },
  );

  it('to another user’s balance is refused', async () => {
    expect(verdict(await charge({ amount: 100 }, other.userId))).toBe('403 forbidden');
  });
});

describe('an id', () => {
  const paths = (id: string) => [
    ['GET', `/v1/concerts/${id}`],
    ['GET', `/v1/reservations/${id}`],
    ['GET', `/v1/payments/${id}`],
    ['DELETE', `/v1/reservations/${id}`],
    ['POST', `/v1/concerts/${id}/queue`],
  ];

  it.each(['1', 'not-a-uuid', 'g1939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f', '%00', '%27%20OR%201=1', 'x'.repeat(90)])(
    'that is no UUID is refused: %s',
    async (id) => {
      for (const [method = '', path = ''] of paths(id)) {
        expect(verdict(await call(method, path, { headers: fan.asUser })), `${method} ${path}`).toBe(INVALID);
      }
      const paying = await call('POST', '/v1/payments', {
        headers: { ...fan.inQueue, ...key() },
        body: { reservationId: decodeURIComponent(id) },
      });
      expect(verdict(paying)).toBe(INVALID);
    },
  );

  it('of an unknown or another user’s record is refused as not found', async () => {
    const { items } = (await fan.get('/v1/reservations')).as(reservationPage);
    const theirs = items[0]?.reservationId ?? '';
    for (const id of [randomUUID(), theirs]) {
      const path = `/v1/reservations/${id}`;
      expect(verdict(await call('GET', path, { headers: other.asUser }))).toBe('404 reservation-not-found');
      expect(verdict(await call('DELETE', path, { headers: other.asUser }))).toBe('404 reservation-not-found');
      expect(verdict(await other.pay(id))).toBe('404 reservation-not-found');
    }
    expect(verdict(await fan.get(`/v1/payments/${randomUUID()}`))).toBe('404 payment-not-found');
    expect(verdict(await fan.get(`/v1/concerts/${randomUUID()}`))).toBe('404 concert-not-found');
    expect(verdict(await fan.get(`/v1/users/${other.userId}/balance`))).toBe('403 forbidden');
    expect(verdict(await fan.get('/v1/users/me/balance'))).toBe('403 forbidden');
  });

  it.each(['2026-02-30', 'tomorrow', '%00', '0000-01-01', '0000-02-29'])(
    'that is no date is refused: %s',
    async (date) => {
      expect(verdict(await fan.get(`/v1/concerts/${concertId}/dates/${date}/seats`, fan.inQueue))).toBe(INVALID);
    },
  );
});

describe('a query', () => {
  const base64url = (text: string) => Buffer.from(text).toString('base64url');

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=abc',
    'limit=',
    'limit=1&limit=2',
    'limit=Infinity',
    'cursor=',
    'cursor=garbage',
    'cursor=%00',
    `cursor=${base64url("'; DROP TABLE seats; --")}`,
    `cursor=${base64url('12')}`,
    `cursor=${'x'.repeat(101)}`,
  ])('of a list is refused: %s', async (query) => {
    for (const path of ['/v1/concerts', '/v1/reservations', '/v1/payments']) {
      expect(verdict(await fan.get(`${path}?${query}`)), path).toBe(INVALID);
    }
  });

  it('that pages the ledger with another list’s cursor, or beyond all ids, is refused', async () => {
    for (const cursor of [base64url(randomUUID()), base64url('9'.repeat(19)), base64url('-1'), base64url('0')]) {
      expect(verdict(await fan.get(`/v1/users/${fan.userId}/balance/entries?cursor=${cursor}`))).toBe(INVALID);
    }
  });

  it.each(['dates?all=maybe', 'dates?all=1', `dates/${DATE}/seats?available=yes`, `dates/${DATE}/seats?available=`])(
    'with a flag that is neither true nor false is refused: %s',
    async (path) => {
      expect(verdict(await fan.get(`/v1/concerts/${concertId}/${path}`, fan.inQueue))).toBe(INVALID);
    },
  );
});

describe('an Idempotency-Key', () => {
  const withKey = (headers: Record<string, string>) =>
    call('POST', '/v1/reservations', {
      headers: { ...other.inQueue, ...headers },
      body: { date: DATE, seatNumbers: [1] },
    });

  it.each([{}, { 'idempotency-key': '' }, { 'idempotency-key': '""' }, { 'idempotency-key': '   ' }])(
    'that is missing or empty is refused: %j',
    async (headers) => {
      expect(verdict(await withKey(headers))).toBe('400 idempotency-key-missing');
    },
  );

  it('of up to 255 characters, bare or in quotes, is accepted, and a longer one refused', async () => {
    const [longest, tooLong] = ['k'.repeat(255), 'k'.repeat(256)];
    for (const key of [longest, `"${longest}"`]) {
      expect(verdict(await withKey({ 'idempotency-key': key }))).toBe('409 seat-taken');
    }
    for (const key of [tooLong, `"${tooLong}"`])
      expect(verdict(await withKey({ 'idempotency-key': key }))).toBe(INVALID);
  });
});

describe('a queue token', () => {
  const genuine = () => fan.token;
  const poll = (headers: Record<string, string>) => call('GET', '/v1/queue', { headers });

  it('that is missing is required', async () => {
    for (const headers of [{}, { 'queue-token': '' }])
      expect(verdict(await poll(headers))).toBe('401 queue-token-missing');
  });

  it('that we did not sign, or not for this purpose, is refused', async () => {
    const [id = '', entry = '', signature = ''] = genuine().split('.');
    const swapped = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    const forgeries = [
      'garbage',
      'a.b.c',
      '..',
      'é'.repeat(20),
      'x'.repeat(4_000),
      genuine().slice(0, -1),
      `${genuine()}A`,
      `${id}.${swapped(entry)}.${signature}`,
      `${id}.${entry}.${swapped(signature)}`,
      `other.${entry}.${signature}`,
      `__proto__.${entry}.${signature}`,
      fan.accessToken,
    ];
    for (const token of forgeries) {
      expect(verdict(await poll({ 'queue-token': token })), token).toBe('401 queue-token-invalid');
    }
  });

  it('of another user or concert is refused', async () => {
    const elsewhere = await world.openHall();
    expect(verdict(await poll({ ...fan.inQueue, ...other.asUser }))).toBe('401 queue-token-invalid');
    expect(verdict(await fan.get(`/v1/concerts/${elsewhere}/dates`, fan.inQueue))).toBe('401 queue-token-invalid');
    expect(verdict(await poll({ ...fan.inQueue, authorization: 'Bearer garbage' }))).toBe('401 unauthenticated');
  });
});

describe('an access token', () => {
  const secret = new TextEncoder().encode(SECRETS.ACCESS_TOKEN_SECRET);
  const entries = { sub: randomUUID(), iss: 'frontrow', aud: 'frontrow' };
  const sign = (payload: Record<string, unknown>, with_: Uint8Array = secret, alg = 'HS256') =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(with_);
  const inAnHour = Math.floor(Date.now() / 1_000) + 3_600;

  it('signed with our secret, by our rules, is accepted: so the refusals below have the reason that they name', async () => {
    const authorization = `Bearer ${await sign({ ...entries, exp: inAnHour })}`;
    expect((await call('GET', '/v1/reservations', { headers: { authorization } })).status).toBe(200);
  });

  it.each([
    ['is missing', async () => ''],
    ['is empty', async () => 'Bearer '],
    ['is of another scheme', async () => 'Basic dXNlcjpwYXNzd29yZA=='],
    ['is garbage', async () => 'Bearer garbage'],
    ['only looks like a token', async () => 'Bearer a.b.c'],
    ['is not signed', async () => `Bearer ${new UnsecuredJWT({ ...entries, exp: inAnHour }).encode()}`],
    ['has expired', async () => `Bearer ${await sign({ ...entries, exp: inAnHour - 7_200 })}`],
    ['never expires', async () => `Bearer ${await sign(entries)}`],
    ['is not valid yet', async () => `Bearer ${await sign({ ...entries, exp: inAnHour, nbf: inAnHour })}`],
    ['has no user', async () => `Bearer ${await sign({ ...entries, sub: undefined, exp: inAnHour })}`],
    ['is of another issuer', async () => `Bearer ${await sign({ ...entries, iss: 'else', exp: inAnHour })}`],
    ['is for another audience', async () => `Bearer ${await sign({ ...entries, aud: 'else', exp: inAnHour })}`],
    [
      'is signed with another algorithm',
      async () => `Bearer ${await sign({ ...entries, exp: inAnHour }, secret, 'HS384')}`,
    ],
    [
      'is signed with another secret',
      async () => `Bearer ${await sign({ ...entries, exp: inAnHour }, new TextEncoder().encode('x'.repeat(32)))}`,
    ],
  ])('that %s is refused', async (_, authorization) => {
    const headers = { authorization: await authorization() };
    expect(verdict(await call('GET', '/v1/reservations', { headers }))).toBe('401 unauthenticated');
  });
});

describe('a malformed request', () => {
  const raw = async (path: string, head = '') =>
    checkedReply(
      'GET',
      path,
      await rawRequest(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n`),
    );

  it.each(['/v1/concerts/%', '/v1/concerts/%zz', '/v1/concerts/%E0%A4%A', '/%', '/v1/%c0%ae%c0%ae/'])(
    'is refused: a URL with a broken escape, %s',
    async (path) => {
      expect(verdict(await raw(path))).toBe(INVALID);
    },
  );

  it.each(['/v1/../v1/queue', '//v1/queue', '/v1//queue', '/v1/queue%00', '/v1\\queue', '/v1/queue;x=1'])(
    'is refused as an unknown route: %s',
    async (path) => {
      expect(verdict(await raw(path))).toBe('404 route-not-found');
    },
  );

  it('is refused: a URL that is very long', async () => {
    expect(verdict(await raw(`/v1/concerts/${'x'.repeat(5_000)}`))).toBe(INVALID);
    expect(verdict(await raw(`/v1/concerts?cursor=${'x'.repeat(5_000)}`))).toBe(INVALID);
    expect(verdict(await raw(`/v1/concerts?cursor=${'x'.repeat(HEAD_LIMIT_BYTES)}`))).toBe(INVALID);
  });

  it('is refused: headers that are very long or have invalid characters', async () => {
    expect(verdict(await raw('/v1/queue', `Queue-Token: ${'x'.repeat(HEAD_LIMIT_BYTES)}\r\n`))).toBe(INVALID);
    expect(verdict(await raw('/v1/queue', 'Queue-Token: a\u0000b\r\n'))).toBe(INVALID);
  });

  it.each(['GARBAGE\r\n\r\n', 'BREW /v1/queue HTTP/1.1\r\nHost: x\r\n\r\n', '\u0016\u0003\u0001\u0000\r\n\r\n'])(
    'is refused: bytes that are not HTTP, %j',
    async (request) => {
      expect(verdict(await checkedReply('-', '-', await rawRequest(url, request)))).toBe(INVALID);
    },
  );
});
