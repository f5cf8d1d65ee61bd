import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, onTestFinished } from 'vitest';
import { holdKeys } from '#adapters/redis/keys.ts';
import { holderOf } from '#adapters/redis/seats/redis-hold-keys.ts';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import type { Hold } from '#domain/booking/reservation.ts';
import { type ConcertId, reservationId, userId } from '#domain/ids.ts';
import { contradictionsIn } from '#tests/history/contradictions-in.ts';
import { auditCommand } from '#tests/support/audit-command.ts';
import { contradictions } from '#tests/support/books.ts';
import { bookOnce } from '#tests/support/client/book-once.ts';
import { fetchTransport, newClient } from '#tests/support/client/client.ts';
import { DATE, holdSeats, PRICE } from '#tests/support/hall.ts';
import type { Instance, Settings } from '#tests/support/instance.ts';
import { type OwnPostgres, ownPostgres } from '#tests/support/own-postgres.ts';
import { type OwnRedis, ownRedis } from '#tests/support/own-redis.ts';
import { HANG_MS, until } from '#tests/support/until.ts';
import { untilTold } from '#tests/support/until-told.ts';
import { startWorld, type World } from '#tests/support/world.ts';
import { type Load, longestOutageMsOf, startLoad } from './load.ts';
import { lost } from './lost.ts';
import { type FaultRow, report } from './report.ts';

const INSTANCES = 2;
/** Where most people are. Some have to wait for their turn, and those who walk away are not waited for longer than a hold. */
const BUSY = { people: 14, seats: 60, activeMax: 10, holdSeconds: 8, holdSecondsMax: 12 };
/** Where no hold ends by itself before the test does, and so no mark: that of a seat which was given back is there for the audit. */
const PATIENT = { people: 6, seats: 150, activeMax: 5, seatsPerUserMax: 40, holdSeconds: 300, holdSecondsMax: 600 };
/** A hold that nobody touches: it outlasts everything, so its mark is there only if it was kept or put back. */
const KEPT_SEAT = 1;
const KEPT_SECONDS = 3_600;
/** Nobody waits longer for an answer before repeating the command; on a slow machine, longer than some whole bookings take. */
const PATIENCE_MS = { least: 2_000, most: 6_000 };
const PATIENCE_BOOKINGS = 4;
/** For an answer to a client that tries whether the service is back: longer than any timeout of the service. */
const TRIAL_PATIENCE_MS = 5_000;
/** More than all trials book. */
const TRIAL_SEATS = 2_000;
/** How often a client who asks for the kept seat polls before giving up. */
const POLLS_MAX = 20;
const POLL_PAUSE_MS = 100;
/** What is broken for a while is broken for so much longer than people wait, and than a connection to Redis may be silent. */
const BROKEN_BEYOND_MS = 1_000;
/** From when nobody asks for anything any more. What an instance that died had taken upon itself is left to it for five seconds. */
const TOLD_PROMISED_MS = 10_000;
/** What Redis could not be told comes again in a second, not only after those five. */
export const TOLD_SOON_PROMISED_MS = 3_000;
const RECONNECT_MS = 100;

/**
 * As they come, except for what an operator sets who wants to be back in ten seconds: a line that was lost waits for three of them
 * for those who were in it, and two connections in a row may be dead that nobody was told of, at half a second more than this each.
 */
const SETTINGS = {
  REDIS_COMMAND_TIMEOUT_MS: '500',
  DATABASE_CONNECT_TIMEOUT_MS: '3000',
  DATABASE_STATEMENT_TIMEOUT_MS: '3000',
  REBUILD_SECONDS: '3',
};

/** Instances on a Redis and a Postgres of their own, and what is to become of them. */
export type Stage = {
  readonly world: World;
  readonly redis: OwnRedis;
  readonly postgres: OwnPostgres;
  /** Where people knock. Whoever takes an instance away for good takes it out. */
  readonly doors: Instance[];
  /**
   * Lets a crowd book, breaks something and mends it, and expects that nothing was lost, that the service and the marks of held
   * seats are back, and that whatever the crowd was told can have been so. Answers what it did to them; how long it took is
   * reported, and compared with what is promised in the report.
   */
  whileBooking(
    fault: string,
    breakAndMend: (aWhile: () => Promise<void>, patienceMs: number) => Promise<void>,
    toldPromisedMs?: number,
  ): Promise<FaultRow>;
};

type Crowd = { readonly concert: ConcertId; readonly load: Load; readonly holdMs: number };

type Servers = { readonly databaseUrl: string; readonly redisUrl: string };

type Setting = {
  /** What each instance is told, for example by which way it reaches the servers. */
  readonly settings?: (servers: Servers) => Promise<Settings>;
  /** The way by which people reach an instance. */
  readonly doorOf?: (instance: Instance) => Promise<Instance>;
  /** How Postgres is run, other than usual. */
  readonly postgresSettings?: Settings;
};

/** Called at the top of a test file, where hooks are registered. */
export async function setStage({
  settings = async () => ({}),
  doorOf = async (instance) => instance,
  postgresSettings = {},
}: Setting = {}): Promise<Stage> {
  const [redis, postgres] = await Promise.all([ownRedis(), ownPostgres(postgresSettings)]);
  const servers = { databaseUrl: postgres.url, redisUrl: redis.url };
  const world = await startWorld({ ...servers, instances: 0, settings: SETTINGS });
  const doors = await Promise.all(
    Array.from({ length: INSTANCES }, async () => doorOf(await world.start(await settings(servers)))),
  );
  const trials = await world.openHall({ seats: TRIAL_SEATS });
  const kept = await keepSeat();
  const client = new Redis(redis.url, { retryStrategy: () => RECONNECT_MS });
  client.on('error', () => {});
  afterAll(() => client.disconnect());
  await untilKeptHasItsKey();

  /** Somebody holds a seat to whom nothing else happens, and Postgres is told of it first. */
  async function keepSeat(): Promise<Hold> {
    const concert = await world.openHall();
    const { userId: user } = await world.fan();
    const id = await holdSeats(world.pool, { user, concert, seats: [KEPT_SEAT], holdSeconds: KEPT_SECONDS });
    const on = { concertId: concert, date: DATE, seatNumbers: [KEPT_SEAT] };
    return { ...on, userId: userId(user), reservationId: reservationId(id) };
  }

  /** A lost key is put back when a client asks for the seat. */
  async function untilKeptHasItsKey(): Promise<void> {
    const [key = ''] = holdKeys(kept);
    await until('a held seat has its key', async () => {
      await askForKept().catch(() => {});
      return (await client.get(key)) === holderOf(kept);
    });
  }

  /** Gives up soon: while something is broken, an answer or an admission may never come. */
  async function askForKept(): Promise<void> {
    const fan = await world.fan({ doors, patienceMs: TRIAL_PATIENCE_MS });
    if ((await fan.join(kept.concertId)).status !== 201) return;
    for (let polls = 0; polls < POLLS_MAX && (await fan.poll()).body.status === 'WAITING'; polls++) {
      await pause(POLL_PAUSE_MS);
    }
    await fan.reserve([KEPT_SEAT]);
    await fan.leave();
  }

  /** People who book, in a hall of their own. */
  async function gather({ people, ...hall }: typeof BUSY, patienceMs: number): Promise<Crowd> {
    const concert = await world.openHall(hall);
    const fans = await world.fans(people, { doors, patienceMs });
    return { concert, load: startLoad(fans, concert), holdMs: 1_000 * hall.holdSeconds };
  }

  /** How long a whole booking takes while nothing is broken and nobody else is there. */
  async function bookingMs(): Promise<number> {
    const sinceMs = performance.now();
    await untilBack(HANG_MS);
    return performance.now() - sinceMs;
  }

  /** Resolves once a whole booking has gone well through each instance. */
  async function untilBack(patienceMs: number): Promise<void> {
    await Promise.all(
      doors.map(async ({ url }) => {
        let reason: unknown;
        const goesWell = async () => {
          try {
            const client = await newClient(fetchTransport(() => url, patienceMs));
            await bookOnce(client, trials, { charge: PRICE });
            return true;
          } catch (error) {
            reason = error;
            return false;
          }
        };
        await until('a booking goes well', goesWell).catch((error) => {
          throw new Error(`${url} is not back: ${reason}`, { cause: error });
        });
      }),
    );
  }

  /**
   * The books at once; what Redis and others are told follows them. And nobody was let in out of turn, nor told what cannot be.
   *
   * @returns after how long all was told, in milliseconds from when nobody asked for anything any more, which is now
   */
  async function expectNothingAmiss(crowds: readonly Crowd[]): Promise<number> {
    const sinceMs = performance.now();
    const { rows } = await world.pool.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
    const told = untilTold(world.pool, { limitMs: HANG_MS, writtenBy: rows[0]?.now ?? '' }).then(
      () => performance.now() - sinceMs,
    );
    // Said once it is awaited.
    told.catch(() => {});
    for (const { load } of crowds) expect(await lost(world.pool, load.calls), 'acknowledged and lost').toEqual([]);
    expect(await contradictions(world.pool)).toEqual([]);
    const none = { count: 0 };
    for (const { concert } of crowds) {
      expect(await auditQueue(world.pool, concert)).toMatchObject({
        inversions: none,
        duplicates: none,
        revived: none,
      });
    }
    const toldAfterMs = await told;
    for (const { load, holdMs } of crowds) {
      expect(contradictionsIn(load.calls, { holdMs }), 'told, and inexplicable').toEqual([]);
    }
    let audit = { said: '', exitCode: -1 };
    await until('the audit is clean', async () => {
      audit = await auditCommand('audit', { DATABASE_URL: servers.databaseUrl, REDIS_URL: servers.redisUrl });
      return audit.exitCode === 0;
    }).catch((error) => expect.fail(`${error.message}\n${audit.said}`));
    return toldAfterMs;
  }

  return {
    world,
    redis,
    postgres,
    doors,
    async whileBooking(fault, breakAndMend, toldPromisedMs = TOLD_PROMISED_MS) {
      const someBookingsMs = PATIENCE_BOOKINGS * (await bookingMs());
      const patienceMs = Math.round(Math.min(Math.max(PATIENCE_MS.least, someBookingsMs), PATIENCE_MS.most));
      const crowds = await Promise.all([gather(BUSY, patienceMs), gather(PATIENT, patienceMs)]);
      const ofEach = <T>(work: (load: Load) => Promise<T>) => Promise.all(crowds.map(({ load }) => work(load)));
      onTestFinished(() => ofEach((load) => load.halt()).then(() => {}));
      await ofEach((load) => load.untilAllSucceed(0));

      await breakAndMend(async () => {
        const before = sumOf(crowds, 'unclear');
        await pause(patienceMs + BROKEN_BEYOND_MS);
        await until('somebody is left without an answer', () => sumOf(crowds, 'unclear') > before);
      }, patienceMs);
      const mendedMs = performance.now();
      const marked = untilKeptHasItsKey().then(() => performance.now() - mendedMs);
      // Said once it is awaited.
      marked.catch(() => {});
      await untilBack(Math.max(TRIAL_PATIENCE_MS, patienceMs));
      const backAfterMs = performance.now() - mendedMs;
      const markedAfterMs = await marked;
      await ofEach((load) => load.untilAllSucceed(mendedMs + backAfterMs));
      await ofEach((load) => load.stop());
      const toldAfterMs = await expectNothingAmiss(crowds);
      const [calls, unclear] = [sumOf(crowds, 'calls'), sumOf(crowds, 'unclear')];
      const longestOutageMs = longestOutageMsOf(crowds.flatMap(({ load }) => load.calls));
      const row = { fault, calls, unclear, backAfterMs, longestOutageMs, markedAfterMs, toldAfterMs, toldPromisedMs };
      await report(inject('faultReport'), row);
      return row;
    },
  };
}

const sumOf = (crowds: readonly Crowd[], what: keyof Load['counts']): number =>
  crowds.reduce((sum, { load }) => sum + load.counts[what], 0);
