import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, onTestFinished } from 'vitest';
import { seatKeys } from '#adapters/redis/keys.ts';
import { markOf } from '#adapters/redis/seat-holds.ts';
import { auditLine } from '#audits/audit-line.ts';
import { type ConcertId, reservationId, userId } from '#domain/ids.ts';
import type { Hold } from '#domain/reservation.ts';
import { contradictionsIn } from '#tests/history/contradictions-in.ts';
import { auditCommand } from '#tests/support/audit-command.ts';
import { contradictions } from '#tests/support/books.ts';
import { DATE } from '#tests/support/hall.ts';
import type { Instance, Settings } from '#tests/support/instance.ts';
import { type OwnPostgres, ownPostgres } from '#tests/support/own-postgres.ts';
import { type OwnRedis, ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';
import { untilTold } from '#tests/support/until-told.ts';
import { startWorld, type World } from '#tests/support/world.ts';
import { bookOnce, TRIAL_SEATS } from './full-booking.ts';
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
/** Whatever was broken: the job that puts marks back looks once a second. */
const MARKS_MS_MAX = 5_000;
/** From when nobody asks for anything any more. What an instance that died had taken upon itself is left to it for five seconds. */
const TOLD_MS_MAX = 10_000;
/** A claim that died with its instance is over in ten seconds; the audit, which finds it, waits for as long. */
const AUDIT_MS_MAX = 20_000;
/** Nobody waits longer for an answer before repeating the command. */
const PATIENCE_MS = 2_000;
/** Whatever was broken. */
const BACK_MS_MAX = 10_000;
const RECONNECT_MS = 100;

/**
 * As they come, except for what an operator sets who wants to be back in ten seconds: a line that was lost waits for three of them
 * for those who were in it, and two connections in a row may be dead that nobody was told of, at half a second more than this each.
 */
const SETTINGS = {
  REDIS_COMMAND_TIMEOUT_MS: '250',
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
   * seats are back in time, and that whatever the crowd was told can have been so. Answers what it did to them.
   */
  whileBooking(fault: string, breakAndMend: () => Promise<void>): Promise<FaultRow>;
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
  await untilKeptIsMarked();

  /** Somebody holds a seat to whom nothing else happens, and Postgres is told of it first. */
  async function keepSeat(): Promise<Hold> {
    const concert = await world.openHall();
    const { userId: user } = await world.fan();
    const id = randomUUID();
    await world.pool.query(`SELECT hold_seats($1, $2, $3, $4, $5, $6, 1, 1, 'none', 'k', 'f')`, [
      ...[id, user, concert, DATE, [KEPT_SEAT], KEPT_SECONDS],
    ]);
    const on = { concertId: concert, date: DATE, seatNumbers: [KEPT_SEAT] };
    return { ...on, userId: userId(user), reservationId: reservationId(id) };
  }

  function untilKeptIsMarked(): Promise<void> {
    const [key = ''] = seatKeys(kept);
    return until('a held seat is marked', async () => (await client.get(key)) === markOf(kept), MARKS_MS_MAX);
  }

  /** People who book, in a hall of their own. */
  async function gather({ people, ...hall }: typeof BUSY): Promise<Crowd> {
    const concert = await world.openHall(hall);
    const fans = await world.fans(people, { doors, patienceMs: PATIENCE_MS });
    return { concert, load: startLoad(fans, concert), holdMs: 1_000 * hall.holdSeconds };
  }

  /** Resolves once a whole booking has gone well through each instance. */
  async function untilBack(): Promise<void> {
    await Promise.all(
      doors.map(async ({ url }) => {
        let reason: unknown;
        const goesWell = () =>
          bookOnce(url, trials, { patienceMs: PATIENCE_MS, turnMs: BACK_MS_MAX }).then(
            () => true,
            (error: unknown) => {
              reason = error;
              return false;
            },
          );
        await until('a booking goes well', goesWell, BACK_MS_MAX).catch((error) => {
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
    const told = untilTold(world.pool, { limitMs: TOLD_MS_MAX, writtenBy: rows[0]?.now ?? '' }).then(
      () => performance.now() - sinceMs,
    );
    // Said once it is awaited.
    told.catch(() => {});
    for (const { load } of crowds) expect(await lost(world.pool, load.calls), 'acknowledged and lost').toEqual([]);
    expect(await contradictions(world.pool)).toEqual([]);
    const none = { count: 0 };
    for (const { concert } of crowds) {
      expect(await auditLine(world.pool, concert)).toMatchObject({ inversions: none, duplicates: none, revived: none });
    }
    const toldAfterMs = await told;
    for (const { load, holdMs } of crowds) {
      expect(contradictionsIn(load.calls, { holdMs }), 'told, and inexplicable').toEqual([]);
    }
    let audit = { said: '', exitCode: -1 };
    await until(
      'the audit is clean',
      async () => {
        audit = await auditCommand('books', { DATABASE_URL: servers.databaseUrl, REDIS_URL: servers.redisUrl });
        return audit.exitCode === 0;
      },
      AUDIT_MS_MAX,
    ).catch((error) => expect.fail(`${error.message}\n${audit.said}`));
    return toldAfterMs;
  }

  return {
    world,
    redis,
    postgres,
    doors,
    async whileBooking(fault, breakAndMend) {
      const crowds = await Promise.all([gather(BUSY), gather(PATIENT)]);
      const ofEach = <T>(work: (load: Load) => Promise<T>) => Promise.all(crowds.map(({ load }) => work(load)));
      onTestFinished(() => ofEach((load) => load.halt()).then(() => {}));
      await ofEach((load) => load.untilAllSucceed(0));

      await breakAndMend();
      const mendedMs = performance.now();
      const marked = untilKeptIsMarked();
      // Said once it is awaited.
      marked.catch(() => {});
      await untilBack();
      const backAfterMs = performance.now() - mendedMs;
      await marked;
      await ofEach((load) => load.untilAllSucceed(mendedMs + backAfterMs));
      await ofEach((load) => load.stop());
      const toldAfterMs = await expectNothingAmiss(crowds);
      expect(backAfterMs).toBeLessThan(BACK_MS_MAX);
      const [calls, unclear] = [sumOf(crowds, 'calls'), sumOf(crowds, 'unclear')];
      const longestOutageMs = longestOutageMsOf(crowds.flatMap(({ load }) => load.calls));
      const row = { fault, calls, unclear, backAfterMs, longestOutageMs, toldAfterMs };
      await report(inject('faultReport'), row);
      return row;
    },
  };
}

const sumOf = (crowds: readonly Crowd[], what: keyof Load['counts']): number =>
  crowds.reduce((sum, { load }) => sum + load.counts[what], 0);

/** What Redis could not be told comes again in a second, not only after the five that are left to an instance that may have died. */
export const TOLD_SOON_MS_MAX = 3_000;

/** Longer than anybody waits for an answer here, and than a connection to Redis may be silent. */
export const brokenForAWhile = () => pause(3_000);
