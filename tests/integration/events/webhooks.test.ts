import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  delivery,
  deliveryPage,
  deliveryWithLog,
  endpoint,
  endpointPage,
  endpointWithSecret,
  replayed,
} from '#adapters/http/events/webhook-schemas.ts';
import { type Call, contractClient, type Reply } from '#tests/support/contract-client.ts';
import { PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY, type Instance } from '#tests/support/instance.ts';
import { isSignedBy, type Received, type Receiver, startReceiver } from '#tests/support/receiver.ts';
import { until } from '#tests/support/until.ts';
import { untilTold } from '#tests/support/until-told.ts';
import { letIn, sharedWorld, startWorld, type World } from '#tests/support/world.ts';

const world = await sharedWorld();
// Else an endpoint made here would be sent what an earlier test file left.
await untilTold(world.pool);
const clientsOf = ({ instances }: World) => instances.map(({ url }) => contractClient(url)) as [Call, ...Call[]];
/** A single instance that waits for an answer as short as may be, sends to one address only, and may be frozen. */
const curt = await startWorld({
  instances: 1,
  settings: { WEBHOOK_ALLOW_NETWORKS: '127.0.0.1', WEBHOOK_TIMEOUT_MS: '1000' },
});
const clients = new Map([world, curt].map((at) => [at, clientsOf(at)]));
const [here] = clientsOf(world);

/** An admin call; the next one goes to the next instance. */
let calls = 0;
function manage(method: string, path = '', body?: unknown, at = world): Promise<Reply> {
  const doors = clients.get(at) ?? [];
  const call = doors[calls++ % doors.length] ?? here;
  return call(method, `/v1/admin/webhooks${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` }, body });
}

type Made = Receiver & { readonly id: string; readonly secret: string; readonly path: string };

/** Somebody's server, and an endpoint that leads there for as long as the test lasts. */
async function subscribe(eventTypes: readonly string[] = [], at = world): Promise<Made> {
  const receiver = await startReceiver();
  const created = await manage('POST', '', { url: receiver.url, eventTypes }, at);
  const { endpointId: id, secret } = created.as(endpointWithSecret);
  onTestFinished(async () => {
    await manage('DELETE', `/${id}`, undefined, at);
  });
  return { ...receiver, id, secret, path: `/${id}` };
}

/** What arrived of the test events, which an operator sends. */
const testsAt = ({ received }: Receiver) => received.filter((request) => parsed(request).type === 'webhook.test');

/** A fan who holds a seat, pays for it and gives it back: four events of one story. Answers the reservation. */
async function story(at = world): Promise<string> {
  const concert = await at.openHall();
  const fan = await at.fan({ balance: PRICE });
  await letIn([fan], concert);
  const reservation = await fan.hold(1);
  expect((await fan.pay(reservation)).status).toBe(201);
  expect((await fan.cancel(reservation)).status).toBe(201);
  return reservation;
}
const STORY = ['reservation.held', 'payment.captured', 'payment.refunded', 'reservation.cancelled'];

const parsed = ({ body }: Received) =>
  JSON.parse(body) as { type: string; timestamp: string; aggregateSequence: number; data: Record<string, unknown> };
const told = ({ received }: Receiver, reservationId: string) =>
  received.map(parsed).filter(({ data }) => data.reservationId === reservationId);
const typesOf = (receiver: Receiver, reservation: string) => told(receiver, reservation).map(({ type }) => type);
/** As a receiver sees them that drops repetitions and sorts by `aggregateSequence`. */
const storyAt = (receiver: Receiver, reservation: string) =>
  told(receiver, reservation).reduce<string[]>((types, { aggregateSequence, type }) => {
    types[aggregateSequence - 1] = type;
    return types;
  }, []);
const arrives = (receiver: Receiver, reservation: string, count = STORY.length) =>
  until(`${count} events arrive`, () => new Set(typesOf(receiver, reservation)).size >= count);

async function logOf(path: string, query = '', at = world): Promise<ReturnType<typeof lastFirst>> {
  return lastFirst(await manage('GET', `${path}/deliveries?limit=100${query}`, undefined, at));
}
const lastFirst = (reply: Reply) => reply.as(deliveryPage).items;
/** So much time goes by that an endpoint is tried again. */
const pauseEnds = ({ id }: Made, at = world) =>
  at.pool.query(
    "UPDATE webhook_deliveries SET due_at = clock_timestamp() - interval '1 ms' WHERE due_at IS NOT NULL AND endpoint_id = $1",
    [id],
  );

describe('an endpoint', () => {
  test('is told of a story, numbered and signed, and the log says so', async () => {
    const shop = await subscribe(STORY);
    const began = Math.floor(Date.now() / 1_000);
    const reservation = await story();
    await arrives(shop, reservation);
    expect(storyAt(shop, reservation)).toEqual(STORY);
    const ids = [...new Set(shop.received.map(({ headers }) => headers['webhook-id']))];
    expect(ids).toHaveLength(STORY.length);
    for (const request of shop.received) {
      expect(isSignedBy(shop.secret, request)).toBe(true);
      const seconds = Number(request.headers['webhook-timestamp']);
      expect(seconds).toBeGreaterThanOrEqual(began);
      expect(seconds).toBeLessThanOrEqual(Date.now() / 1_000);
      expect(new Date(parsed(request).timestamp).toISOString()).toBe(parsed(request).timestamp);
    }
    await until('all is settled', async () => (await logOf(shop.path)).every(({ state }) => state === 'DELIVERED'));
    const log = (await logOf(shop.path)).toReversed();
    expect(log.map(({ messageId }) => messageId).toSorted()).toEqual(ids.toSorted());
    expect(log.at(-1)).toMatchObject({ type: 'reservation.cancelled', lastAttempt: { status: 204 } });
  });

  test('is told of admissions by their numbers', async () => {
    const shop = await subscribe(['queue.admitted']);
    const concert = await world.openHall();
    const fan = await world.fan();
    await letIn([fan], concert);
    const admissions = () => shop.received.map(parsed).filter(({ data }) => data.concertId === concert);
    await until('the admission arrives', () => admissions().length === 1);
    expect(admissions()).toMatchObject([{ type: 'queue.admitted', data: { sequences: [1] } }]);
  });

  test('is told what it asks for, and nothing else', async () => {
    const [books, all] = [await subscribe(['payment.captured', 'payment.refunded']), await subscribe()];
    const reservation = await story();
    await Promise.all([arrives(books, reservation, 2), arrives(all, reservation)]);
    expect(storyAt(books, reservation)).toEqual([undefined, 'payment.captured', 'payment.refunded']);
  });

  test('that cannot take one event is sent the others, and that one again', async () => {
    const shop = await subscribe(STORY);
    const isHeld = (received: Received) => parsed(received).type === 'reservation.held';
    shop.answers((received, response) => response.writeHead(isHeld(received) ? 500 : 200).end());
    const reservation = await story();
    await until('the others have arrived, and the first has failed', async () => {
      const log = await logOf(shop.path);
      const arrived = log.filter(({ state }) => state === 'DELIVERED').length;
      const waits = log.some(({ lastAttempt, nextAttemptAt }) => lastAttempt?.status === 500 && nextAttemptAt);
      return arrived === STORY.length - 1 && waits;
    });
    shop.answers((_, response) => response.writeHead(200).end('thanks'));
    await pauseEnds(shop);
    await until('all is settled', async () => (await logOf(shop.path)).every(({ state }) => state === 'DELIVERED'));
    expect(storyAt(shop, reservation)).toEqual(STORY);
    const [first] = (await logOf(shop.path)).toReversed();
    const found = (await manage('GET', `${shop.path}/deliveries/${first?.deliveryId}`)).as(deliveryWithLog);
    expect(found.attemptLog.map(({ status }) => status)).toEqual(expect.arrayContaining([500, 200]));
    expect(found.lastAttempt).toMatchObject({ attempt: found.attempts, status: 200 });
    expect(found.attempts).toBeGreaterThan(1);
  });

  test('that does not answer is given its time, and others do not wait for it', async () => {
    const [silent, quick] = [await subscribe(STORY, curt), await subscribe(STORY, curt)];
    silent.answers(() => {});
    const reservation = await story(curt);
    await arrives(quick, reservation);
    await until('the silence is on record', async () => {
      const [first] = (await logOf(silent.path, '', curt)).toReversed();
      return first?.lastAttempt?.failure === 'no answer within 1000 ms';
    });
    expect(storyAt(quick, reservation)).toEqual(STORY);
  });

  test('that says 410 is switched off, and is sent what is pending once it is switched on', async () => {
    const shop = await subscribe(STORY);
    const others = async () => (await logOf(shop.path)).filter(({ type }) => type !== 'reservation.held');
    const othersWait = async () => {
      const failed = (await others()).filter(({ lastAttempt }) => lastAttempt?.status === 503);
      return failed.length === STORY.length - 1;
    };
    shop.answers((received, response) => {
      const { type } = parsed(received);
      if (type !== 'reservation.held') response.writeHead(503).end();
      // Nothing more is for it once it is switched off, so it answers when the others are on record.
      else void until('the others wait', othersWait).finally(() => response.writeHead(410).end());
    });
    const reservation = await story();
    await until('it is switched off', async () => !(await manage('GET', shop.path)).as(endpoint).enabled);
    expect((await manage('GET', shop.path)).as(endpoint)).toMatchObject({ disabledReason: 'gone' });
    expect((await others()).map(({ state }) => state)).toEqual(['PENDING', 'PENDING', 'PENDING']);
    shop.answers((_, response) => response.writeHead(204).end());
    await manage('PATCH', shop.path, { enabled: true });
    await pauseEnds(shop);
    await until('they arrive', async () => (await others()).every(({ state }) => state === 'DELIVERED'));
    expect(storyAt(shop, reservation)).toEqual(STORY);
    expect((await logOf(shop.path, '&state=FAILED')).map(({ type }) => type)).toEqual(['reservation.held']);
  });

  test('whose secret is changed is signed to with both for a while, then with the new one', async () => {
    const shop = await subscribe();
    const rotated = (await manage('POST', `${shop.path}/rotate-secret`, { previousForSeconds: 3_600 })).as(
      endpointWithSecret,
    );
    expect(rotated.previousSecretUntil).toBeDefined();
    await manage('POST', `${shop.path}/test`);
    await until('it arrives', () => testsAt(shop).length > 0);
    const [both] = testsAt(shop) as [Received];
    expect([rotated.secret, shop.secret].map((secret) => isSignedBy(secret, both))).toEqual([true, true]);

    const leaked = (await manage('POST', `${shop.path}/rotate-secret`, { previousForSeconds: 0 })).as(
      endpointWithSecret,
    );
    await manage('POST', `${shop.path}/test`);
    await until('the next one arrives', () => testsAt(shop).length > 1);
    const [, fresh] = testsAt(shop) as [Received, Received];
    const secrets = [leaked.secret, rotated.secret, shop.secret];
    expect(secrets.map((secret) => isSignedBy(secret, fresh))).toEqual([true, false, false]);
  });
});

describe('many stories', () => {
  test('are told by several instances at once, each whole and numbered', async () => {
    const shop = await subscribe();
    const concert = await world.openHall({ seats: 10 });
    const fans = await world.fans(10, { balance: PRICE });
    await letIn(fans, concert);
    const reservations = await Promise.all(
      fans.map(async (fan, index) => {
        const reservation = await fan.hold(index + 1);
        await fan.pay(reservation);
        await fan.cancel(reservation);
        return reservation;
      }),
    );
    const ours = () => reservations.flatMap((reservation) => told(shop, reservation));
    await until('all arrives', () => ours().length >= reservations.length * STORY.length);
    for (const reservation of reservations) expect(storyAt(shop, reservation)).toEqual(STORY);
  });
});

describe('an instance that dies in the middle of a delivery', () => {
  test('leaves it to another one', async () => {
    const shop = await subscribe([], curt);
    shop.answers(() => {});
    const [frozen] = curt.instances as [Instance];
    // It waits for longer than the test lasts, so that it is killed while it waits.
    const doomed = await curt.start({ WEBHOOK_TIMEOUT_MS: '30000' });
    frozen.freeze();
    onTestFinished(frozen.thaw);
    const doomedCall = contractClient(doomed.url);
    const asAdmin = { headers: { authorization: `Bearer ${ADMIN_KEY}` } };
    const sent = (await doomedCall('POST', `/v1/admin/webhooks${shop.path}/test`, asAdmin)).as(delivery);
    await until('it is under way', () => testsAt(shop).length > 0);
    await doomed.end('SIGKILL');
    shop.answers((_, response) => response.writeHead(204).end());
    frozen.thaw();
    const at = `${shop.path}/deliveries/${sent.deliveryId}`;
    const left = (await manage('GET', at, undefined, curt)).as(deliveryWithLog);
    expect(left).toMatchObject({ state: 'PENDING', attempts: 1, attemptLog: [] });
    await pauseEnds(shop, curt);
    await until('it arrives again', () => testsAt(shop).length > 1);
    const [first, again] = testsAt(shop).map(({ headers }) => headers['webhook-id']);
    expect(again).toBe(first);
  });
});

describe('replaying', () => {
  test('sends one again, under the same id', async () => {
    const shop = await subscribe();
    const sent = (await manage('POST', `${shop.path}/test`)).as(delivery);
    await until('it arrives', () => testsAt(shop).length > 0);
    const at = `${shop.path}/deliveries/${sent.deliveryId}`;
    await until('it is settled', async () => (await manage('GET', at)).as(deliveryWithLog).state === 'DELIVERED');
    const again = await manage('POST', `${at}/replay`);
    expect([again.status, again.as(delivery).state]).toEqual([202, 'PENDING']);
    await until('it arrives again', () => testsAt(shop).length > 1);
    const ids = testsAt(shop).map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([sent.messageId, sent.messageId]);
  });

  test('of what was given up sends all of it', async () => {
    const shop = await subscribe(STORY);
    const before = new Date().toISOString();
    shop.answers((_, response) => response.writeHead(404).end());
    const reservation = await story();
    await until('all is given up', async () => {
      await world.pool.query(
        "UPDATE webhook_deliveries SET tries = 99, due_at = clock_timestamp() - interval '1 ms' WHERE due_at IS NOT NULL AND endpoint_id = $1",
        [shop.id],
      );
      return (await logOf(shop.path, '&state=FAILED')).length >= STORY.length;
    });
    const failures = typesOf(shop, reservation).length;
    shop.answers((_, response) => response.writeHead(204).end());
    const { replayed: count } = (await manage('POST', `${shop.path}/replay`, { since: before })).as(replayed);
    expect(count).toBe(STORY.length);
    await until('all arrives', () => new Set(typesOf(shop, reservation).slice(failures)).size === STORY.length);
    expect(await logOf(shop.path, '&state=FAILED')).toEqual([]);
    const nothing = (await manage('POST', `${shop.path}/replay`, { since: '2099-01-01T00:00:00.000Z' })).as(replayed);
    expect(nothing).toEqual({ replayed: 0 });
  });

  test('is refused while the delivery is under way', async () => {
    const shop = await subscribe();
    shop.answers((_, response) => response.writeHead(500).end());
    const sent = (await manage('POST', `${shop.path}/test`)).as(delivery);
    const refused = await manage('POST', `${shop.path}/deliveries/${sent.deliveryId}/replay`);
    expect([refused.status, refused.code]).toEqual([409, 'delivery-pending']);
  });
});

describe('the calls of operators', () => {
  test('make, show, change, list and delete an endpoint, and tell its secret once', async () => {
    const { url } = await startReceiver();
    const created = await manage('POST', '', { url, eventTypes: ['payment.captured'] });
    const { secret, ...made } = created.as(endpointWithSecret);
    expect([created.status, created.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const path = `/${made.endpointId}`;
    const found = await manage('GET', path);
    expect(found.as(endpoint)).toEqual(made);
    expect(JSON.stringify(found.body)).not.toContain('whsec_');
    const listed = await manage('GET', '?limit=100');
    expect(listed.as(endpointPage).items).toContainEqual(made);
    expect(JSON.stringify(listed.body)).not.toContain('whsec_');
    const changed = await manage('PATCH', path, { eventTypes: [], enabled: false });
    expect(changed.as(endpoint)).toEqual({ ...made, eventTypes: [], enabled: false, disabledReason: 'operator' });
    expect((await manage('DELETE', path)).status).toBe(204);
    for (const [method, at, body] of [
      ['GET', path],
      ['PATCH', path, { enabled: true }],
      ['DELETE', path],
      ['POST', `${path}/rotate-secret`, { previousForSeconds: 0 }],
      ['POST', `${path}/test`],
      ['POST', `${path}/replay`, { since: '2026-01-01T00:00:00.000Z' }],
      ['GET', `${path}/deliveries`],
    ] as const) {
      const gone = await manage(method, at, body);
      expect([method, at, gone.status, gone.code]).toEqual([method, at, 404, 'webhook-not-found']);
    }
    const lost = await manage('GET', `${path}/deliveries/1`);
    expect([lost.status, lost.code]).toEqual([404, 'delivery-not-found']);
  });

  test.each([
    'https://10.0.0.1/hook',
    'https://[::1]/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://user:password@example.com/',
    'http://192.0.2.7/',
  ])('refuse a URL to which nothing is sent: %s', async (url) => {
    const shop = await subscribe();
    for (const refused of [await manage('POST', '', { url }), await manage('PATCH', shop.path, { url })]) {
      expect([refused.status, refused.code]).toEqual([400, 'webhook-url-refused']);
    }
  });

  test.each([
    [{}],
    [{ url: 'not a url' }],
    [{ url: 'ftp://example.com/' }],
    [{ url: `https://example.com/${'x'.repeat(2_000)}` }],
    [{ url: 'https://example.com/', eventTypes: ['reservation.imagined'] }],
    [{ url: 'https://example.com/', eventTypes: ['webhook.test'] }],
    [{ url: 'https://example.com/', eventTypes: ['payment.captured', 'payment.captured'] }],
    [{ url: 'https://example.com/', secret: 'whsec_mine' }],
  ])('refuse what is not of the form: %j', async (body) => {
    const refused = await manage('POST', '', body);
    expect([refused.status, refused.code]).toEqual([400, 'validation-failed']);
  });

  test('need an admin key', async () => {
    const key = createHash('sha256').update('another').digest('hex');
    for (const headers of [{}, { authorization: `Bearer ${key}` }] as Record<string, string>[]) {
      const refused = await here('GET', '/v1/admin/webhooks', { headers });
      expect([refused.status, refused.code]).toEqual([401, 'unauthenticated']);
    }
  });

  test('are as strict as the settings: an instance refuses a network that it does not allow', async () => {
    const { port } = await startReceiver();
    const refused = await manage('POST', '', { url: `http://127.0.0.2:${port}/hook` }, curt);
    expect(refused.body).toMatchObject({ code: 'webhook-url-refused', reason: '127.0.0.2 is not a public address' });
  });
});
