import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { EventStream } from '#ports/events/event-stream.ts';
import type { EventBatch } from '#ports/events/events.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { beginStory } from '#tests/support/box-office-story.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { holdSeats, makeUsers, openHall } from '#tests/support/hall.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { readStream } from '#tests/support/read-stream.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';
import { relayEvents } from '#use-cases/events/relay-events.ts';

const DYING_RELAY = fileURLToPath(new URL('../../support/dying-relay.ts', import.meta.url));
const STORY = ['reservation.held', 'payment.captured', 'payment.refunded', 'reservation.cancelled'];

// A server of its own: there is one stream per server, and others publish there.
const server = await ownRedis();
const databaseUrl = await freshDatabase();
const one = await realPorts(databaseUrl, server.url);
const other = await realPorts(databaseUrl, server.url);
const { pool, redis } = one;
afterAll(() => Promise.all([one.close(), other.close()]));

beforeEach(async () => {
  await termEnds();
  await relayEvents(one.ports);
});

/** So much time goes by that whoever relays is believed to be dead. */
const termEnds = () => pool.query("UPDATE relays SET leased_until = clock_timestamp() - interval '1 ms'");
/** However slow this machine is, the relay may still be at work. */
const termGoesOn = () => pool.query("UPDATE relays SET leased_until = clock_timestamp() + interval '1 hour'");

async function taken({ ports }: typeof one): Promise<EventBatch> {
  const batch = await ports.events.take(1_000);
  if (batch === undefined) throw new RangeError('nothing to relay');
  return batch;
}
const waiting = async () => {
  const { rows } = await pool.query<{ type: string }>(
    'SELECT type FROM events WHERE relayed_at IS NULL ORDER BY event_id',
  );
  return rows.map(({ type }) => type);
};
async function streamed(aggregateId: string): Promise<string[]> {
  return (await readStream(redis)).filter((event) => event.aggregateId === aggregateId).map(({ type }) => type);
}
/** As a service sees them that drops what it has seen. */
const firstOfEach = (events: readonly PublicEvent[]) => [
  ...new Map(events.map((event) => [event.eventId, event])).values(),
];
/** As a service sees them that goes by what it was told last. */
const lastOfEach = (events: readonly PublicEvent[]) => firstOfEach(events.toReversed()).toReversed();
const typesOf = (events: readonly PublicEvent[]) => events.map(({ type }) => type);

describe('an event', () => {
  test('does not exist if its command was rolled back', async () => {
    const concert = await openHall(pool);
    const session = await pool.connect();
    const [user] = await makeUsers(pool, 1);
    await session.query('BEGIN');
    await holdSeats(session, { user, concert, seats: [1] });
    expect((await session.query('SELECT FROM events WHERE relayed_at IS NULL')).rowCount).toBe(1);
    await session.query('ROLLBACK');
    session.release();
    expect(await waiting()).toEqual([]);
  });

  test('is not lost if a later one was committed and relayed before it', async () => {
    const concert = await openHall(pool);
    const session = await pool.connect();
    const [slow] = await makeUsers(pool, 1);
    await session.query('BEGIN');
    await holdSeats(session, { user: slow, concert, seats: [1] });
    const { held } = await beginStory(one.ports, pool, concert, 2);
    expect(await relayEvents(one.ports)).toBe(1);
    expect(await streamed(held.reservationId)).toEqual(['reservation.held']);
    await session.query('COMMIT');
    session.release();
    expect(await relayEvents(one.ports)).toBe(1);
    expect(await waiting()).toEqual([]);
  });
});

describe('a relay that is frozen between taking and publishing', () => {
  /** What the stream has of a reservation that was held, then paid, when the one who relayed the hold wakes up last. */
  async function afterWakingUp(wake: (frozen: EventBatch) => EventBatch): Promise<string[]> {
    const { held, pay } = await beginStory(one.ports, pool, await openHall(pool), 1);
    const frozen = await taken(one);
    await termEnds();
    expect(await relayEvents(other.ports)).toBe(1);
    await pay();
    expect(await relayEvents(other.ports)).toBe(1);
    await one.ports.eventStream.publish(wake(frozen));
    return streamed(held.reservationId);
  }

  test('cannot put old events behind newer ones', async () => {
    expect(await afterWakingUp((frozen) => frozen)).toEqual(['reservation.held', 'payment.captured']);
  });

  test('could if fencing tokens were not compared', async () => {
    const latest = Number.MAX_SAFE_INTEGER - 2 ** 20;
    const story = await afterWakingUp((frozen) => ({ ...frozen, fencingToken: latest }));
    expect(story).toEqual(['reservation.held', 'payment.captured', 'reservation.held']);
    // Nobody could publish after such a term.
    await redis.flushall();
  });

  test('cannot acknowledge events that another relay has taken over', async () => {
    await beginStory(one.ports, pool, await openHall(pool), 1);
    const frozen = await taken(one);
    await termEnds();
    const current = await taken(other);
    expect(await one.ports.events.ack(frozen)).toBe(false);
    expect(await waiting()).toEqual(['reservation.held']);
    expect(await other.ports.events.ack(current)).toBe(true);
  });
});

test('the events of every aggregate are complete and in order, with relays that race, freeze and overtake each other', async () => {
  const concert = await openHall(pool, { seats: 40 });
  const told: string[] = [];
  let done = false;

  async function live(seatNumber: number): Promise<void> {
    const { held, pay, cancel } = await beginStory(one.ports, pool, concert, seatNumber);
    told.push(held.reservationId);
    await pay();
    await cancel();
  }
  let published = 0;
  async function relay({ ports }: typeof one, falls: 'asleep' | 'never'): Promise<void> {
    const events = { ...ports.events, take: () => ports.events.take(3) };
    const eventStream: EventStream = {
      async publish(batch) {
        const before = published;
        if (falls === 'asleep') {
          // Believed to be dead, it wakes up when others have gone on.
          await termEnds();
          await until('others have published', () => published > before || done);
        }
        const outcome = await ports.eventStream.publish(batch);
        published += 1;
        return outcome;
      },
    };
    while (!done) await relayEvents({ events, eventStream });
  }
  const relays = [relay(one, 'asleep'), relay(other, 'asleep'), relay(one, 'never'), relay(other, 'never')];
  await Promise.all(Array.from({ length: 40 }, (_, index) => live(index + 1)));
  done = true;
  await Promise.all(relays);
  await termEnds();
  await relayEvents(one.ports);

  const stream = await readStream(redis);
  expect(told).toHaveLength(40);
  for (const reservationId of told) {
    const story = stream.filter(({ aggregateId }) => aggregateId === reservationId);
    expect(typesOf(firstOfEach(story))).toEqual(STORY);
    expect(typesOf(lastOfEach(story))).toEqual(STORY);
  }
  expect(await waiting()).toEqual([]);
});

test('a relay killed after publishing is followed by one that publishes again', async () => {
  const { held } = await beginStory(one.ports, pool, await openHall(pool), 1);
  const dying = reaped(spawn(process.execPath, [DYING_RELAY, databaseUrl, server.url], { stdio: 'inherit' }));
  expect(await once(dying, 'exit')).toEqual([null, 'SIGKILL']);
  await termGoesOn();
  expect(await streamed(held.reservationId)).toEqual(['reservation.held']);
  expect(await waiting()).toEqual(['reservation.held']);
  expect(await relayEvents(one.ports)).toBe(0);
  await termEnds();
  expect(await relayEvents(one.ports)).toBe(1);
  const story = (await readStream(redis)).filter(({ aggregateId }) => aggregateId === held.reservationId);
  expect(story).toHaveLength(2);
  expect(firstOfEach(story)).toHaveLength(1);
  expect(await waiting()).toEqual([]);
});

test('events wait while Redis is away, and are all relayed afterwards', async () => {
  const { held, pay, cancel } = await beginStory(one.ports, pool, await openHall(pool), 1);
  await server.kill();
  await expectRefusal(relayEvents(one.ports), 'unavailable');
  await pay();
  await cancel();
  expect(await waiting()).toEqual(STORY);
  await server.restart();
  await until('Redis is found again', () =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  );
  await relayEvents(one.ports);
  expect(await streamed(held.reservationId)).toEqual(STORY);
  expect(await waiting()).toEqual([]);
});

test('events wait while Redis is full, and are all relayed afterwards', async () => {
  const { held, pay, cancel } = await beginStory(one.ports, pool, await openHall(pool), 1);
  await redis.config('SET', 'maxmemory', '1');
  await expectRefusal(relayEvents(one.ports), 'unavailable');
  await pay();
  await cancel();
  expect(await waiting()).toEqual(STORY);
  await redis.config('SET', 'maxmemory', '0');
  await relayEvents(one.ports);
  expect(await streamed(held.reservationId)).toEqual(STORY);
  expect(await waiting()).toEqual([]);
});

test('a restored database, with an older fencing token, keeps relaying', async () => {
  await beginStory(one.ports, pool, await openHall(pool), 1);
  await relayEvents(one.ports);
  await pool.query('UPDATE relays SET fencing_token = 0');
  const { held } = await beginStory(one.ports, pool, await openHall(pool), 1);
  expect(await relayEvents(one.ports)).toBe(1);
  expect(await streamed(held.reservationId)).toEqual(['reservation.held']);
});

test('events cannot be changed afterwards, whatever the code above does', async () => {
  await beginStory(one.ports, pool, await openHall(pool), 1);
  for (const change of [
    "type = 'reservation.expired'",
    'happened_at = now()',
    'held_until = NULL',
    'aggregate_id = gen_random_uuid()',
    'aggregate_sequence = aggregate_sequence + 1',
  ]) {
    await expect(pool.query(`UPDATE events SET ${change}`)).rejects.toMatchObject({ code: '23000' });
  }
});
