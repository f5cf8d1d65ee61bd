import { randomUUID } from 'node:crypto';
import type { AccessTokens } from '#adapters/http/guards/access-token.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { type UserId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { fillQueue } from '#tests/load/admission.ts';
import { compare, type Round } from '#tests/load/compare.ts';
import type { Load } from '#tests/load/generator.ts';
import type { Generator, ServerProcess } from '#tests/load/processes.ts';
import { apiClient, fetchTransport } from '#tests/support/client/client.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';
import { until } from '#tests/support/until.ts';

export type MoneyMeasured = Readonly<
  Record<'refusal' | 'refusalFloor' | 'balance' | 'balanceFloor' | 'charge' | 'chargeFloor', readonly Round[]>
>;

export type MoneyBench = {
  readonly postgres: Postgres;
  readonly identity: AccessTokens;
  readonly queue: Queue;
  readonly generator: Generator;
  readonly frontrow: ServerProcess;
  /** Bare Fastify that answers the same, and reads and charges balances in the same database. */
  startFloor(answers: Readonly<Record<string, unknown>>): Promise<ServerProcess>;
  inQueue(entry: QueueEntry): Readonly<Record<string, string>>;
};

const CONTENDERS = 1_000;
const CONNECTIONS = 64;
const CHARGES_PER_CONNECTION = 120;
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const HOT_SEAT = 7;
const CONFLICT = 409;

/** A thousand people who want the seat that somebody has; and balances, read and charged. */
export async function measureMoney(bench: MoneyBench): Promise<MoneyMeasured> {
  const { postgres, identity, queue, generator, frontrow, startFloor, inQueue } = bench;
  const { pool } = postgres;
  const hall = await openHall(pool);
  const [holder = ''] = await makeUsers(pool, 1);
  const transport = fetchTransport(() => frontrow.url);
  const fan = apiClient(transport, { userId: holder, ...identity.issue(userId(holder)) });
  await fan.enter(hall);
  await fan.hold(HOT_SEAT);
  const contenders = await fillQueue(queue, hall, CONTENDERS, CONTENDERS);
  const wanting = (entry: QueueEntry) => ({
    method: 'POST' as const,
    path: '/v1/reservations',
    headers: { ...inQueue(entry), 'idempotency-key': randomUUID(), 'content-type': 'application/json' },
    body: JSON.stringify({ date: DATE, seatNumbers: [HOT_SEAT] }),
  });
  const last = wanting(contenders.at(-1) as QueueEntry);
  const ask = () => fetch(`${frontrow.url}${last.path}`, last);
  await until('they are let in', async () => (await ask()).status === CONFLICT);
  const refused = await (await ask()).json();

  const users = (await makeUsers(pool, CONNECTIONS)).map((id) => userId(id));
  const owned = (id: UserId) => ({ authorization: `Bearer ${identity.issue(id).accessToken}` });
  const pathOf = (id: UserId) => `/v1/users/${id}/balance`;
  const read = await fetch(`${frontrow.url}${pathOf(users[0] as UserId)}`, { headers: owned(users[0] as UserId) });
  const floor = await startFloor({ refusal: refused, balance: await read.json() });

  const atFloor = { server: floor, seconds: ROUND_SECONDS };
  const atFrontrow = { server: frontrow, seconds: ROUND_SECONDS };
  const wants = () => contenders.map((entry) => [wanting(entry)]);
  const reads = () => users.map((id) => [{ path: pathOf(id), headers: owned(id) }]);
  function charges(): Load['requests'] {
    return users.map((id) => {
      const headers = { ...owned(id), 'content-type': 'application/json' };
      return Array.from({ length: CHARGES_PER_CONNECTION }, () => ({
        method: 'POST' as const,
        path: `${pathOf(id)}/charges`,
        headers: { ...headers, 'idempotency-key': randomUUID() },
        body: JSON.stringify({ amount: 1 }),
      }));
    });
  }
  const seat = await compare(
    generator,
    {
      floor: { ...atFloor, requests: wants, expected: CONFLICT },
      real: { ...atFrontrow, requests: wants, expected: CONFLICT },
    },
    ROUNDS,
  );
  const balance = await compare(
    generator,
    {
      floor: { ...atFloor, requests: reads, expected: 200 },
      real: { ...atFrontrow, requests: reads, expected: 200 },
    },
    ROUNDS,
  );
  const charge = await compare(
    generator,
    {
      floor: { ...atFloor, requests: charges, seconds: 'once', expected: 201 },
      real: { ...atFrontrow, requests: charges, seconds: 'once', expected: 201 },
    },
    ROUNDS,
  );
  await floor.stop();
  return {
    refusal: seat.real,
    refusalFloor: seat.floor,
    balance: balance.real,
    balanceFloor: balance.floor,
    charge: charge.real,
    chargeFloor: charge.floor,
  };
}
