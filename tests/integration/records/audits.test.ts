import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import { postgresQueueRecords } from '#adapters/postgres/queue/postgres-queue-records.ts';
import { drawOrder } from '#adapters/redis/queue/draw-order.ts';
import { auditLottery } from '#commands/audits/audit-lottery.ts';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { auditCommand } from '#tests/support/audit-command.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';

const databaseUrl = await freshDatabase();
const postgres = openPostgres(databaseUrl, { poolMax: 2 });
// As an operator's: without the limits of a request.
const pool = new Pool({ connectionString: databaseUrl, max: 1 });
pool.on('error', () => {});
afterAll(() => Promise.all([pool.end(), postgres.close()]));
const queueRecords = postgresQueueRecords(postgres);
const concerts = postgresConcerts(postgres, { ...POLICY, opening: 'lottery' });

async function newConcert(): Promise<ConcertId> {
  const { concertId: id } = await concerts.create({
    concertId: concertId(randomUUID()),
    title: 'A drawn one',
    venue: 'A hall',
    currency: 'KRW',
    salesOpenAt: new Date(0),
    dates: [{ date: concertDate('2099-05-01'), startsAt: new Date('2099-05-01T10:00:00Z'), seats: [] }],
    policy: {},
  });
  await queueRecords.open(id);
  return id;
}

const admitted = (index: number, sequence: number, order = sequence): QueueEvent => ({
  eventId: `${1_000 + index}-0-0`,
  kind: 'admitted',
  sequence,
  order,
  joinedAt: new Date(sequence),
  at: new Date(1_000 + index),
});

const command = (name: 'audit-queue' | 'audit-lottery', ...args: readonly string[]) =>
  auditCommand(name, { DATABASE_URL: databaseUrl }, args);

describe('the audit of a queue', () => {
  it('reads a long record page by page, in the order of the log', async () => {
    const concert = await newConcert();
    // More than one page of them.
    const PEOPLE = 10_500;
    const all = Array.from({ length: PEOPLE }, (_, index) => admitted(index, index + 1));
    await queueRecords.record(concert, all.toReversed());
    const fair = await auditQueue(pool, concert);
    expect(fair).toMatchObject({ counts: { admitted: PEOPLE }, inversions: { count: 0 }, duplicates: { count: 0 } });
    expect(fair.waitedMs?.max).toBe(999);

    // On the second page, compared with the first.
    await queueRecords.record(concert, [
      admitted(PEOPLE, 5),
      admitted(PEOPLE + 1, PEOPLE + 2),
      admitted(PEOPLE + 2, PEOPLE + 1),
    ]);
    const planted = await auditQueue(pool, concert);
    expect(planted.duplicates).toMatchObject({ count: 1, first: [{ sequence: 5 }] });
    expect(planted.inversions).toMatchObject({ count: 1, first: [{ sequence: PEOPLE + 1 }] });
  });

  it('is a command that reports it, also by its exit code', async () => {
    const concert = await newConcert();
    await queueRecords.record(concert, [admitted(0, 1), admitted(1, 2)]);
    const fair = await command('audit-queue', concert);
    expect(fair.exitCode).toBe(0);
    expect(fair.said).toMatch(/^admitted +2$/m);
    expect(fair.said).toMatch(/^inversions +0$/m);
    expect(fair.said).toMatch(/^waited +p50 1\.0 s, p90 1\.0 s, p99 1\.0 s, max 1\.0 s$/m);
    await queueRecords.record(concert, [admitted(2, 4), admitted(3, 3), admitted(4, 1)]);
    const unfair = await command('audit-queue', concert);
    expect(unfair.exitCode).toBe(1);
    expect(unfair.said).toMatch(/^inversions +1\n {2}1003-0-0: sequence 3, order 3$/m);
    expect(unfair.said).toMatch(/^duplicates +1\n {2}1004-0-0: sequence 1, order 1$/m);
  });

  it('fails without records, and for an unknown concert', async () => {
    expect(await command('audit-queue', randomUUID())).toEqual({
      said: 'No events are recorded for this queue.\n',
      exitCode: 2,
    });
    for (const { said, exitCode } of await Promise.all([
      command('audit-queue'),
      command('audit-queue', 'the-big-one'),
    ])) {
      expect([said, exitCode]).toEqual([expect.stringContaining('npm run audit:queue -- <concertId>'), 2]);
    }
  });
});

describe('the audit of lots', () => {
  const COUNT = 500;

  /** Everybody who registered is let in as the lots gave, then two who came later. */
  async function letInAsDrawn(concert: ConcertId) {
    const { seed } = await queueRecords.draw(concert, COUNT);
    const { order, registered } = await drawOrder(Buffer.from(seed, 'hex'), COUNT);
    const events = [...registered].map((sequence, index) => admitted(index, sequence, order[sequence - 1]));
    await queueRecords.record(concert, [...events, ...[1, 2].map((late) => admitted(COUNT + late, COUNT + late))]);
    return { order, seed };
  }

  it('verifies admissions by the drawn order, and finds those out of order', async () => {
    const concert = await newConcert();
    const { seed, order } = await letInAsDrawn(concert);
    const { lottery } = (await concerts.find(concert)) ?? {};
    const right = await auditLottery(pool, concert);
    expect(right).toMatchObject({
      ...{ status: 'drawn', seed, seedSha256: lottery?.seedSha256, count: COUNT, seedMatches: true },
      ...{ compared: COUNT + 2, misplaced: { count: 0, first: [] } },
    });
    expect(await auditQueue(pool, concert)).toMatchObject({ inversions: { count: 0 }, duplicates: { count: 0 } });
    const { exitCode, said } = await command('audit-lottery', concert);
    expect([exitCode, said]).toEqual([0, expect.stringMatching(/^match +yes$/m)]);

    const expected = order[0] ?? 0;
    await queueRecords.record(concert, [admitted(9_000, 1, expected + 1), admitted(9_001, COUNT + 3, COUNT + 4)]);
    const wrong = await auditLottery(pool, concert);
    expect(wrong).toMatchObject({
      misplaced: { count: 2, first: [{ event: { sequence: 1 }, expected }, { expected: COUNT + 3 }] },
    });
    const told = await command('audit-lottery', concert);
    expect([told.exitCode, told.said]).toEqual([1, expect.stringMatching(/^match +NO$/m)]);
  });

  it('finds a seed that does not match the published hash, if the guards are removed', async () => {
    const concert = await newConcert();
    await letInAsDrawn(concert);
    // This file's database is its own.
    await pool.query(`ALTER TABLE lotteries DISABLE TRIGGER USER, DROP CONSTRAINT lotteries_hash_of_the_seed`);
    await pool.query(`UPDATE lotteries SET seed_sha256 = sha256('another') WHERE concert_id = $1`, [concert]);
    expect(await auditLottery(pool, concert)).toMatchObject({ seedMatches: false, misplaced: { count: 0 } });
    expect((await command('audit-lottery', concert)).exitCode).toBe(1);
  });

  it('fails before the draw, and reports the published hash', async () => {
    const concert = await newConcert();
    const { lottery } = (await concerts.find(concert)) ?? {};
    expect(await auditLottery(pool, concert)).toEqual({ status: 'not-drawn', seedSha256: lottery?.seedSha256 });
    const { said, exitCode } = await command('audit-lottery', concert);
    expect({ said, exitCode }).toEqual({ said: expect.stringContaining(lottery?.seedSha256 ?? '-'), exitCode: 2 });
    expect(await command('audit-lottery', randomUUID())).toMatchObject({ exitCode: 2 });
  });
});
