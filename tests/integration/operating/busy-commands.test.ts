import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, test } from 'vitest';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { postgresDeliveries } from '#adapters/postgres/events/deliveries.ts';
import { postgresWebhooks } from '#adapters/postgres/events/webhooks.ts';
import { concertDate, concertId, endpointId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openHall } from '#tests/support/hall.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { outcomeOf } from '#tests/support/outcome.ts';

// Who is told `busy` is told that nothing was done, and repeats. What an operator sends has no key that would find the first one.

const databaseUrl = await freshDatabase();
const portsOf = (postgres: Postgres) => ({
  concerts: postgresConcerts(postgres, POLICY),
  webhooks: postgresWebhooks(postgres),
  deliveries: postgresDeliveries(postgres),
});

const patient = openPostgres(databaseUrl, { poolMax: 4 });
const { concerts, webhooks, deliveries } = portsOf(patient);
afterAll(patient.close);

/** Commands that write, and answer with what they read after that. */
const commands: readonly [name: string, begin: () => Promise<Command>][] = [
  [
    'a concert put on sale',
    async () => {
      const id = concertId(newId());
      const day = { date: concertDate('2099-05-01'), startsAt: new Date('2099-05-01T10:00:00Z') };
      const plan = {
        ...{ concertId: id, title: 'Once', venue: 'A hall', currency: 'KRW', salesOpenAt: new Date() },
        ...{ policy: { opening: 'lottery' as const }, seatPlan: undefined },
        dates: [{ ...day, seats: [{ first: 1, last: 5, price: 1_000 }] }],
      };
      return {
        send: ({ concerts }) => concerts.create(plan),
        isDone: async () => (await concerts.find(id)) !== undefined,
      };
    },
  ],
  [
    'another policy',
    async () => {
      const id = await openHall(patient.pool);
      return {
        send: ({ concerts }) => concerts.changePolicy(id, { paused: true }),
        isDone: async () => {
          const { rows } = await patient.pool.query('SELECT paused FROM concerts WHERE concert_id = $1', [id]);
          return rows[0].paused;
        },
      };
    },
  ],
  [
    'another URL of an endpoint',
    async () => {
      const id = await endpoint();
      return {
        send: ({ webhooks }) => webhooks.change(id, { url: 'https://example.com/moved' }),
        isDone: async () => (await webhooks.find(id))?.url === 'https://example.com/moved',
      };
    },
  ],
  [
    'a test event',
    async () => {
      const id = await endpoint();
      return {
        send: ({ deliveries }) => deliveries.test(id),
        isDone: async () => (await deliveries.list(id, { limit: 5 })).items.length > 0,
      };
    },
  ],
  [
    'a replayed delivery',
    async () => {
      const id = await endpoint();
      await deliveries.test(id);
      const [delivery] = await deliveries.take(id, 1);
      if (delivery === undefined) throw new RangeError('nothing is due');
      await deliveries.recordAttempt(
        delivery,
        { durationMs: 1, status: 500 },
        { state: 'FAILED', endpointGone: false },
      );
      const { deliveryId } = delivery;
      return {
        send: ({ deliveries }) => deliveries.replay(id, deliveryId),
        isDone: async () => (await deliveries.find(id, deliveryId))?.delivery.state === 'PENDING',
      };
    },
  ],
];
type Command = {
  send(ports: ReturnType<typeof portsOf>): Promise<unknown>;
  isDone(): Promise<boolean>;
};

async function endpoint() {
  const id = endpointId(newId());
  await webhooks.create({ endpointId: id, url: 'https://example.com/hook', eventTypes: [] }, 1_000);
  return id;
}

describe('with few connections', () => {
  const single = openPostgres(databaseUrl, { poolMax: 1 });
  afterAll(single.close);

  test.each(commands)('%s is not interrupted halfway for others who wait for its connection', async (_, begin) => {
    const { send, isDone } = await begin();
    const command = outcomeOf(send(portsOf(single)));
    // Comes after it, and would keep what it gets until the command has come to something.
    const next = single.pool.connect().then(async (connection) => {
      await command;
      connection.release();
    });
    expect(await command).toBe('done');
    expect(await isDone()).toBe(true);
    await next;
  });
});

describe('if the answer cannot be read', () => {
  const hasty = openPostgres(databaseUrl, { poolMax: 4, lockTimeoutMs: 200 });
  afterAll(hasty.close);
  /** What the answer is read from, and what nothing is written to before. */
  const READ_AFTERWARDS = 'LOCK TABLE lotteries, webhook_attempts IN ACCESS EXCLUSIVE MODE';

  test.each(commands.filter(([name]) => name !== 'another URL of an endpoint'))(
    '%s has no effect, and one effect when it is repeated',
    async (_, begin) => {
      const { send, isDone } = await begin();
      const locker = await patient.pool.connect();
      try {
        await locker.query('BEGIN');
        await locker.query(READ_AFTERWARDS);
        expect(await outcomeOf(send(portsOf(hasty)))).toBe('busy');
      } finally {
        await locker.query('ROLLBACK');
        locker.release();
      }
      expect(await isDone()).toBe(false);
      expect(await outcomeOf(send(portsOf(patient)))).toBe('done');
      expect(await isDone()).toBe(true);
    },
  );
});
