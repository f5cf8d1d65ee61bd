import { writeFile } from 'node:fs/promises';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { queueKeys } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { auditHoldKeys } from '#commands/audits/audit-hold-keys.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { contradictions, overdue } from '#tests/support/books.ts';
import { makeTemplate } from '#tests/support/database.ts';
import { DATE, openHall } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { startTestServers } from '#tests/support/servers.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';
import { untilTold } from '#tests/support/until-told.ts';
import { fillQueue, measureAdmission, usedBytes } from './admission.ts';
import { runCommand } from './command.ts';
import { compare } from './compare.ts';
import { measureDraws } from './draw.ts';
import type { Load } from './generator.ts';
import { measureBestSeats } from './money/best-seats.ts';
import { measureBookings } from './money/bookings.ts';
import { measureMoney } from './money/money.ts';
import { measureSales } from './money/sales.ts';
import { startBuyers, startFloor, startFrontrow, startGenerator, startMoneyFloor } from './processes.ts';
import { measureRefill } from './refill.ts';
import {
  admissionRow,
  bestSeatsRow,
  bookingsRow,
  boundedRateRow,
  documentOf,
  drawRow,
  memoryRow,
  type Row,
  rateRow,
  refillRow,
  salesRow,
  tableOf,
} from './report.ts';

// `npm run bench`: some eight minutes of load on this machine, one table, and docs/reference/benchmarks.md. On Linux. Takes 2 GB
// of memory.

const DOCUMENT = new URL('../../docs/reference/benchmarks.md', import.meta.url);
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const CONNECTIONS = 64;
const PEOPLE_PER_CONNECTION = 32;
const JOINS_PER_CONNECTION = 600;
const VAST_QUEUE = 10_000_000;
const LONG_QUEUE = 1_000_000;
const SHORT_QUEUE = 10_000;
const ADMISSION_ROUNDS = 20;
const BOOKING_ROUNDS = 3;
const DRAWS = 3;
const TURNOVERS = 300;
const INSTANCES = 3;
/** Of our own connection, which sends thousands of joins at once. */
const PATIENCE_MS = 20_000;
/** Once nobody books any more. */
const TOLD_MS_MAX = 60_000;

const started = performance.now();
const say = (line: string) => console.log(`${Math.round((performance.now() - started) / 1_000)} s  ${line}`);

async function bench(ending: AsyncDisposableStack): Promise<void> {
  const dir = await temporaryDir();
  ending.defer(dir.remove);
  const servers = await startTestServers(say);
  ending.defer(servers.stop);
  const database = await makeTemplate(servers.databaseUrl);
  ending.defer(database.drop);
  const postgres = openPostgres(database.databaseUrl);
  ending.defer(postgres.close);
  const { pool } = postgres;
  const own = await connectRedis({ url: servers.redisUrl, commandTimeoutMs: PATIENCE_MS }, (error) =>
    say(`Redis: ${error.message}`),
  );
  ending.defer(own.close);
  const { redis } = own;
  const queue = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 75 });
  const generator = startGenerator();
  ending.defer(generator.stop);
  const buyers = startBuyers();
  ending.defer(buyers.stop);

  const settings = {
    DATABASE_URL: database.databaseUrl,
    REDIS_URL: servers.redisUrl,
    ...SECRETS,
    // Everything is counted; but the generator's few people come more often than anybody who is told to.
    POLL_LIMIT_PER_MINUTE: '1000000',
    RATE_LIMIT_PER_MINUTE: '1000000',
  };
  const [keyId = '', secret = ''] = SECRETS.QUEUE_TOKEN_KEYS.split(':');
  const tokens = queueTokens([{ id: keyId, secret }]);
  const identity = accessTokens({ secret: SECRETS.ACCESS_TOKEN_SECRET, seconds: 3_600 });

  function forgetAtTheEnd(concertId: ConcertId): void {
    ending.defer(async () => {
      await redis.unlink(queueKeys(concertId));
    });
  }
  /** A queue in which nobody is absent and hardly anybody is admitted. */
  async function openQueue(): Promise<ConcertId> {
    const concertId = await openHall(pool, { activeMax: 1 });
    await pool.query('UPDATE concerts SET absent_seconds = 86400, waiting_max = $2 WHERE concert_id = $1', [
      concertId,
      2 * VAST_QUEUE,
    ]);
    forgetAtTheEnd(concertId);
    return concertId;
  }
  const inQueue = (entry: QueueEntry) => ({ 'queue-token': tokens.sign(entry) });

  const samples = CONNECTIONS * PEOPLE_PER_CONNECTION;
  const [longQueue, shortQueue] = [await openQueue(), await openQueue()];
  const before = await usedBytes(redis);
  const longEntries = await fillQueue(queue, longQueue, LONG_QUEUE, samples);
  const bytesPerPerson = ((await usedBytes(redis)) - before) / LONG_QUEUE;
  const shortEntries = await fillQueue(queue, shortQueue, SHORT_QUEUE, samples);
  say(`${LONG_QUEUE} and ${SHORT_QUEUE} people wait.`);
  const vastQueue = await openQueue();
  const vastEntries = await fillQueue(queue, vastQueue, VAST_QUEUE, samples);
  say(`${VAST_QUEUE} people wait.`);

  const frontrow = await startFrontrow(dir.path, settings);
  ending.defer(frontrow.stop);
  const seatsHall = await openHall(pool);
  forgetAtTheEnd(seatsHall);
  const insiders = await fillQueue(queue, seatsHall, CONNECTIONS, CONNECTIONS);
  const seatsPath = `/v1/concerts/${seatsHall}/dates/${DATE}/seats`;
  const joinPath = `/v1/concerts/${longQueue}/queue`;

  const ask = (path: string, entry: QueueEntry) => fetch(`${frontrow.url}${path}`, { headers: inQueue(entry) });
  await until('they are let in', async () => (await ask(seatsPath, insiders.at(-1) as QueueEntry)).ok);
  const listed = await ask(seatsPath, insiders[0] as QueueEntry);
  const etag = listed.headers.get('etag') ?? '';
  const [newcomer] = (await newcomers(1)).flat();
  const floor = await startFloor(dir.path, {
    poll: await (await ask('/v1/queue', longEntries[samples / 2] as QueueEntry)).json(),
    join: await (await fetch(`${frontrow.url}${joinPath}`, newcomer as RequestInit)).json(),
    seats: await listed.json(),
  });
  ending.defer(floor.stop);

  function spreadOut(requests: NonNullable<Load['requests'][number]>): Load['requests'] {
    return Array.from({ length: CONNECTIONS }, (_, connection) =>
      requests.filter((_, index) => index % CONNECTIONS === connection),
    );
  }
  /** People who have never been here: they have their access tokens, no more. */
  async function newcomers(each: number): Promise<Load['requests']> {
    const ids = Array.from({ length: CONNECTIONS * each }, () => userId(crypto.randomUUID()));
    const known = ids.map((id) => identity.issue(id));
    return spreadOut(
      known.map(({ accessToken }) => ({
        method: 'POST' as const,
        path: joinPath,
        headers: { authorization: `Bearer ${accessToken}` },
      })),
    );
  }
  const polls = (entries: readonly QueueEntry[]) =>
    spreadOut(entries.map((entry) => ({ path: '/v1/queue', headers: inQueue(entry) })));
  const lists = (headers: Readonly<Record<string, string>>) =>
    spreadOut(insiders.map((entry) => ({ path: seatsPath, headers: { ...inQueue(entry), ...headers } })));

  const atFloor = { server: floor, seconds: ROUND_SECONDS };
  const atFrontrow = { server: frontrow, seconds: ROUND_SECONDS };

  const poll = await compare(
    generator,
    {
      bare: { ...atFloor, requests: () => polls(longEntries), expected: 200 },
      short: { ...atFrontrow, requests: () => polls(shortEntries), expected: 200 },
      long: { ...atFrontrow, requests: () => polls(longEntries), expected: 200 },
      vast: { ...atFrontrow, requests: () => polls(vastEntries), expected: 200 },
    },
    ROUNDS,
  );
  say('Polls are measured.');
  const list = await compare(
    generator,
    {
      bare: { ...atFloor, requests: () => lists({}), expected: 200 },
      same: { ...atFrontrow, requests: () => lists({ 'if-none-match': etag }), expected: 304 },
      whole: { ...atFrontrow, requests: () => lists({}), expected: 200 },
    },
    ROUNDS,
  );
  say('Lists of seats are measured.');
  const join = await compare(
    generator,
    {
      bare: { ...atFloor, requests: () => newcomers(JOINS_PER_CONNECTION), expected: 201 },
      real: { ...atFrontrow, requests: () => newcomers(JOINS_PER_CONNECTION), seconds: 'once', expected: 201 },
    },
    ROUNDS,
  );
  say('Joins are measured.');
  const money = await measureMoney({
    ...{ postgres, identity, queue, generator, frontrow, inQueue },
    startFloor: (answers) => startMoneyFloor(dir.path, database.databaseUrl, answers),
  });
  say('A hot seat and balances are measured.');
  const others = await inParallel(Array.from({ length: INSTANCES - 1 }), 1, () => startFrontrow(dir.path, settings));
  for (const other of others) ending.defer(other.stop);
  const refill = await measureRefill(pool, identity, [frontrow, ...others], TURNOVERS);
  say('The refill is measured.');
  // Nobody else is to work for the first.
  await Promise.all(others.map((other) => other.stop()));
  const alone = await measureBookings(pool, identity, buyers, [frontrow], BOOKING_ROUNDS);
  const second = await startFrontrow(dir.path, settings);
  ending.defer(second.stop);
  const together = await measureBookings(pool, identity, buyers, [frontrow, second], BOOKING_ROUNDS);
  say('Bookings are measured.');
  // While somebody is there to tell Redis and others what has been booked.
  await untilTold(pool, { limitMs: TOLD_MS_MAX });
  const amiss = [
    ...(await contradictions(pool)),
    ...(await overdue(pool)),
    ...(await auditHoldKeys(pool, redis)).violations.flatMap(({ first }) => first),
  ];
  if (amiss.length > 0) throw new Error(`not all is as it should be: ${amiss[0]}`);
  // Nobody else is to ask Redis meanwhile.
  await Promise.all([frontrow, second].map((server) => server.stop()));
  const sales = await measureSales(postgres, ROUNDS);
  const bestSeats = await measureBestSeats(postgres, ROUNDS);
  say('Hold and pay, and best seats, are measured.');
  const admission = await measureAdmission(redis, queue, longQueue, ADMISSION_ROUNDS);
  const lotsHalls = await inParallel(Array.from({ length: 1 + DRAWS }), 1, () => openHall(pool));
  for (const hall of lotsHalls) forgetAtTheEnd(hall);
  const draws = await measureDraws(redis, queue, lotsHalls, LONG_QUEUE);
  say('Lots are drawn.');
  // What was held and paid without an instance nobody has been told of.
  const wrong = await contradictions(pool);
  if (wrong.length > 0) throw new Error(`the books do not agree: ${wrong[0]}`);

  const rows: readonly Row[] = [
    rateRow('poll, 1M waiting / bare Fastify route', poll.long, poll.bare, 0.85),
    rateRow('poll, 10M waiting / 10k waiting', poll.vast, poll.short, 0.95),
    rateRow('join of new people / bare Fastify POST', join.real, join.bare, 0.5),
    rateRow('list of 50 seats, 304 / bare Fastify route', list.same, list.bare, 0.7),
    rateRow('list of 50 seats, 200 / bare Fastify route', list.whole, list.bare, 0.5),
    admissionRow(admission),
    drawRow(draws),
    memoryRow(bytesPerPerson),
    refillRow(refill),
    salesRow('hold + pay through the adapter / the same SQL through bare pg', sales.adapter, sales.bare, 0.6),
    salesRow('hold + pay / the same in interactive transactions of Prisma', sales.adapter, sales.interactive, 2.5),
    bestSeatsRow(bestSeats, 300),
    bookingsRow('complete bookings over HTTP, one instance', alone, 300),
    bookingsRow('complete bookings over HTTP, two instances', together),
    boundedRateRow(
      'hot seat, 1,000 contenders, refused / bare Fastify POST',
      money.refusal,
      money.refusalFloor,
      0.4,
      100,
    ),
    rateRow('read a balance / bare Fastify and one read of Prisma', money.balance, money.balanceFloor, 0.8),
    rateRow('charge a balance / bare Fastify and one statement', money.charge, money.chargeFloor, 0.6),
  ];
  console.log(`\n${tableOf(rows)}\n`);
  const [version] = (await pool.query<{ server_version: string }>('SHOW server_version')).rows;
  const redisVersion = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '';
  await writeFile(DOCUMENT, documentOf(rows, { redis: redisVersion, postgres: version?.server_version ?? '' }));
}

await runCommand(bench);
