import { describe, expect, it } from 'vitest';
import { messageIdOf } from '#domain/events/public-event.ts';
import { RETRY_SECONDS } from '#domain/events/webhook.ts';
import { endpointId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { openBoxOffice } from '#tests/contracts/store-harness.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { changeWebhook } from '#use-cases/events/change-webhook.ts';
import { createWebhook, ENDPOINTS_MAX } from '#use-cases/events/create-webhook.ts';
import { deliverWebhooks } from '#use-cases/events/deliver-webhooks.ts';
import { relayEvents } from '#use-cases/events/relay-events.ts';

const URL = 'https://example.com/hook';
const DAY_MS = 86_400_000;

async function open() {
  const world = memoryWorld();
  const { ports, clock } = world;
  const { endpoint, secret } = await createWebhook(ports, { url: URL, eventTypes: [] });
  const id = endpoint.endpointId;
  const office = await openBoxOffice({
    ...ports,
    stage: async (staged) => world.stage(staged),
    passes: async (milliseconds) => clock.advance(milliseconds),
  });

  async function heldAndReleased() {
    const held = await office.hold(await office.user(), 1);
    await ports.boxOffice.release(held.userId, held.reservationId);
    await relayEvents(ports);
    return held;
  }
  /** As a lane does. */
  async function deliverAll() {
    while ((await deliverWebhooks(ports, id)) > 0);
  }
  const log = async () => (await ports.deliveries.list(id, { limit: 100 })).items.toReversed();
  const typesSent = () => world.webhookSender.sent.map(({ body }) => JSON.parse(body).type as string);
  return { ...world, id, secret, heldAndReleased, deliverAll, log, typesSent };
}

describe('making an endpoint', () => {
  it('is refused where no letters go', async () => {
    const { ports } = await open();
    await expectRefusal(createWebhook(ports, { url: 'https://intranet/', eventTypes: [] }), 'webhook-url-refused');
    expect((await ports.webhooks.list({ limit: 10 })).items).toHaveLength(1);
  });

  it('is refused beyond as many as there may be', async () => {
    const { ports } = await open();
    for (let made = 1; made < ENDPOINTS_MAX; made++) await createWebhook(ports, { url: URL, eventTypes: [] });
    await expectRefusal(createWebhook(ports, { url: URL, eventTypes: [] }), 'webhook-limit-reached', {
      limit: ENDPOINTS_MAX,
    });
  });
});

describe('changing an endpoint', () => {
  it('is refused where no letters go, and then nothing of it is changed', async () => {
    const { ports, id } = await open();
    const change = { url: 'https://intranet/', enabled: false };
    await expectRefusal(changeWebhook(ports, { endpointId: id, change }), 'webhook-url-refused');
    expect(await ports.webhooks.find(id)).toMatchObject({ url: URL, enabled: true });
  });

  it('needs an endpoint', async () => {
    const { ports } = await open();
    const unknown = endpointId(ports.newId());
    await expectRefusal(changeWebhook(ports, { endpointId: unknown, change: { enabled: true } }), 'webhook-not-found');
  });
});

describe('delivering', () => {
  it('sends each event once, under its id', async () => {
    const { heldAndReleased, deliverAll, log, webhookSender, typesSent, published, secret } = await open();
    await heldAndReleased();
    await deliverAll();
    await deliverAll();
    expect(typesSent()).toEqual(['reservation.held', 'reservation.cancelled']);
    expect(webhookSender.sent.map(({ messageId }) => messageId)).toEqual(published.map(messageIdOf));
    expect(webhookSender.sent[0]).toMatchObject({ url: URL, secrets: [secret] });
    expect((await log()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['DELIVERED', 1],
      ['DELIVERED', 1],
    ]);
  });

  it('retries after a pause, with the same message at a later time, and holds back no other', async () => {
    const { heldAndReleased, deliverAll, log, webhookSender, typesSent, clock } = await open();
    webhookSender.answers(() => ({ status: 500 }));
    await heldAndReleased();
    await deliverAll();
    expect(typesSent()).toEqual(['reservation.held', 'reservation.cancelled']);
    expect((await log()).map(({ state }) => state)).toEqual(['PENDING', 'PENDING']);

    webhookSender.answers(() => ({ status: 200 }));
    clock.advance(RETRY_SECONDS[0] * 1_000 * 1.2);
    await deliverAll();
    expect(typesSent().toSorted()).toEqual([
      'reservation.cancelled',
      'reservation.cancelled',
      'reservation.held',
      'reservation.held',
    ]);
    const [first, again] = webhookSender.sent.filter(({ body }) => body.includes('reservation.held'));
    expect(again).toMatchObject({ messageId: first?.messageId, body: first?.body });
    expect(again?.sentAt.getTime()).toBeGreaterThan(first?.sentAt.getTime() ?? Number.POSITIVE_INFINITY);
  });

  it('gives up after more than a day', async () => {
    const { heldAndReleased, deliverAll, log, webhookSender, typesSent, clock } = await open();
    webhookSender.answers(({ body }) =>
      body.includes('reservation.held') ? { failure: 'no answer' } : { status: 200 },
    );
    await heldAndReleased();
    const begun = clock.now();
    await deliverAll();
    for (const _ of RETRY_SECONDS) {
      clock.advance(Math.max(...RETRY_SECONDS) * 1_000 * 1.2);
      await deliverAll();
    }
    expect(clock.now() - begun).toBeGreaterThan(DAY_MS);
    expect(typesSent()).toHaveLength(RETRY_SECONDS.length + 2);
    expect((await log()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['FAILED', RETRY_SECONDS.length + 1],
      ['DELIVERED', 1],
    ]);
  });

  it('stops at an endpoint that says it is gone', async () => {
    const { heldAndReleased, deliverAll, webhookSender, typesSent, ports, id } = await open();
    webhookSender.answers(() => ({ status: 410 }));
    await heldAndReleased();
    await deliverAll();
    await heldAndReleased();
    await deliverAll();
    expect(typesSent()).toEqual(['reservation.held', 'reservation.cancelled']);
    expect(await ports.webhooks.find(id)).toMatchObject({ enabled: false, disabledReason: 'gone' });
  });

  it('gives back what we broke off, however often: it is no failure of the receiver', async () => {
    const { heldAndReleased, deliverAll, log, webhookSender, typesSent, ports, id } = await open();
    await heldAndReleased();
    webhookSender.breaksOff(true);
    for (let times = 0; times < 10; times++) expect(await deliverWebhooks(ports, id)).toBe(2);
    expect((await log()).map(({ state }) => state)).toEqual(['PENDING', 'PENDING']);
    webhookSender.breaksOff(false);
    await deliverAll();
    expect((await log()).map(({ state }) => state)).toEqual(['DELIVERED', 'DELIVERED']);
    expect(typesSent()).toHaveLength(22);
  });

  it('settles the others where one cannot be settled, and says so', async () => {
    const { heldAndReleased, ports, id, log, published } = await open();
    const one = await heldAndReleased();
    const other = await heldAndReleased();
    const stumbling = {
      ...ports.deliveries,
      recordAttempt: async (...[delivery, ...rest]: Parameters<typeof ports.deliveries.recordAttempt>) => {
        if (delivery.event.aggregateId === one.reservationId) throw new Error('away');
        return ports.deliveries.recordAttempt(delivery, ...rest);
      },
    };
    await expect(deliverWebhooks({ ...ports, deliveries: stumbling }, id)).rejects.toThrow('away');
    const delivered = (await log()).filter(({ state }) => state === 'DELIVERED').map(({ eventId }) => eventId);
    const others = published.filter(({ aggregateId }) => aggregateId === other.reservationId);
    expect(delivered).toEqual(others.map(({ eventId }) => eventId));
  });
});
