import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import { relayAll } from '#tests/contracts/relay-all.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { beginStory } from '#tests/support/box-office-story.ts';
import { raceForDeliveries } from '#tests/support/delivery-races.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openHall } from '#tests/support/hall.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { until } from '#tests/support/until.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';

const [databaseUrl, redisUrl] = [await freshDatabase(), inject('redisUrl')];
const { ports, pool, close } = await realPorts(databaseUrl, redisUrl);
afterAll(close);
const { deliveries, webhooks, events } = ports;
const STORIES = 10;
const EVENTS_PER_STORY = 4;

async function subscribe(): Promise<EndpointId> {
  const id = endpointId(newId());
  await webhooks.create({ endpointId: id, url: 'https://example.com/hook', eventTypes: [] }, 1_000);
  return id;
}
const arrived = { durationMs: 1, status: 204 } as const;

test('delivers every event once, numbered within its reservation, while others are relayed', async () => {
  const id = await subscribe();
  const concert = await openHall(pool, { seats: STORIES });
  const sent = new Map<string, string[]>();
  let living = true;

  async function deliver(): Promise<void> {
    while (living) {
      for (const delivery of await deliveries.take(id, 3)) {
        const { aggregateId, aggregateSequence, type } = delivery.event;
        sent.set(aggregateId, [...(sent.get(aggregateId) ?? []), `${aggregateSequence} ${type}`]);
        await deliveries.recordAttempt(delivery, arrived, { state: 'DELIVERED' });
      }
    }
  }
  async function relay(): Promise<void> {
    while (living) {
      const batch = await events.take(1);
      if (batch !== undefined) await events.ack(batch);
    }
  }
  const work = [deliver(), deliver(), deliver(), relay(), relay()];
  const told = await Promise.all(
    Array.from({ length: STORIES }, async (_, index) => {
      const { held, pay, cancel } = await beginStory(ports, pool, concert, index + 1);
      await pay();
      await cancel();
      return held.reservationId;
    }),
  );
  const delivered = async () => (await deliveries.list(id, { limit: 100 }, 'DELIVERED')).items.length;
  await until('all is delivered', async () => (await delivered()) === STORIES * EVENTS_PER_STORY);
  living = false;
  await Promise.all(work);
  for (const reservation of told) {
    expect(sent.get(reservation)?.toSorted()).toEqual([
      '1 reservation.held',
      '2 payment.captured',
      '3 payment.refunded',
      '4 reservation.cancelled',
    ]);
  }
  await webhooks.remove(id);
});

test('attempts, relays, replays, tests and forgets deliveries of one reservation at once without a failure', async () => {
  await raceForDeliveries(ports, pool, { rounds: 2, turns: 40 });
});

describe('races for deliveries', () => {
  // There are no instances.
  auditAtTheEnd({ databaseUrl, redisUrl }, () => Promise.all([relayOutbox(ports), relayAll(events)]));
});
