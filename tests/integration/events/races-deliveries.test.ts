import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import { relayAll } from '#tests/contracts/relay-all.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { beginStory } from '#tests/support/box-office-story.ts';
import { raceForDeliveries } from '#tests/support/delivery-races.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openHall } from '#tests/support/hall.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { changeFunction } from '#tests/support/replaced.ts';
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

test('what is relayed while what is before it is settled is delivered, every piece of it, in order', async () => {
  const id = await subscribe();
  const concert = await openHall(pool, { seats: STORIES });
  const sent = new Map<string, string[]>();
  let living = true;

  async function deliver(): Promise<void> {
    while (living) {
      for (const delivery of await deliveries.take(id, 3)) {
        const { aggregateId, type } = delivery.event;
        sent.set(aggregateId, [...(sent.get(aggregateId) ?? []), type]);
        await deliveries.recordAttempt(delivery, arrived, { state: 'DELIVERED' });
      }
    }
  }
  async function relay(): Promise<void> {
    while (living) {
      // One by one, so that an event meets the one before it on its way.
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
    expect(sent.get(reservation)).toEqual([
      'reservation.held',
      'payment.captured',
      'payment.refunded',
      'reservation.cancelled',
    ]);
  }
  await webhooks.remove(id);
});

test('the deliveries of one aggregate are neither forgotten nor sent before their turn, whoever settles, relays, replays, tests and forgets at once', async () => {
  await raceForDeliveries(ports, pool, { rounds: 2, turns: 40 });
});

describe('an event that is relayed in the same moment in which the one before it is settled', () => {
  /** What is due afterwards. The settling is not committed yet when the relaying begins. */
  async function dueAfterwards(): Promise<readonly EndpointId[]> {
    const id = await subscribe();
    const { held, pay } = await beginStory(ports, pool, await openHall(pool), 1);
    await relayAll(events);
    const [first] = await deliveries.take(id, 10);
    expect(first?.event.aggregateId).toBe(held.reservationId);
    await pay();

    const session = await pool.connect();
    await session.query('BEGIN');
    const { deliveryId = '', attempt = 0, url = '' } = first ?? {};
    const delivered = ['DELIVERED', undefined, false, 1, 204, undefined] as const;
    await askOf(session)(functions.recordAttempt, deliveryId, attempt, url, ...delivered);
    let relayed = false;
    const relaying = relayAll(events).then(() => {
      relayed = true;
    });
    const waits = `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ack_events%'`;
    await until('it waits, or is through', async () => relayed || (await pool.query(waits)).rowCount === 1);
    await session.query('COMMIT');
    session.release();
    await relaying;
    const due = await deliveries.listDue();
    await webhooks.remove(id);
    return due.filter((one) => one === id);
  }

  test('is due: neither overlooks the other', async () => {
    expect(await dueAfterwards()).toHaveLength(1);
  });

  test('would wait for ever if relaying did not wait for who ends the one before', async () => {
    const mend = await changeFunction(pool, 'ack_events', [[/PERFORM keep_in_order.*;/, '']]);
    try {
      expect(await dueAfterwards()).toEqual([]);
      // The tidying would find it.
      expect(await deliveries.wakeForgotten()).toBe(1);
      expect(await deliveries.wakeForgotten()).toBe(0);
    } finally {
      await mend();
    }
  });
});

describe('races for deliveries', () => {
  // There are no instances.
  auditAtTheEnd({ databaseUrl, redisUrl }, () => Promise.all([relayOutbox(ports), relayAll(events)]));
});
