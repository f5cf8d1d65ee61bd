import { describe, expect, it } from 'vitest';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { queueRecordsContract } from '#tests/contracts/queue-records-contract.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const harness = await postgresHarness();
const { postgres, queueRecords, stage } = harness;

queueRecordsContract({ ...harness, recorded, now: Date.now });

describe('the record of a queue', () => {
  const EVENT = { eventId: '5-0-0', sequence: 1, order: 1, joinedAt: undefined, at: new Date(0) };

  async function written(): Promise<ConcertId> {
    const { concertId } = await stage({ policy: { opening: 'lottery' } });
    await harness.concerts.find(concertId);
    await queueRecords.open(concertId);
    await queueRecords.note(concertId, { drawn: 5, head: 5 });
    await queueRecords.draw(concertId, 3);
    await queueRecords.record(concertId, [{ ...EVENT, kind: 'admitted' }]);
    return concertId;
  }

  it.each([
    ["UPDATE queue_events SET kind = 'left' WHERE concert_id = $1", 'append-only'],
    ['DELETE FROM queue_events WHERE concert_id = $1', 'append-only'],
    ["UPDATE queues SET epoch = 'AAAAAAAA' WHERE concert_id = $1", 'tokens'],
    ['UPDATE queues SET drawn = 4 WHERE concert_id = $1', 'tokens'],
    ['UPDATE queues SET head = 4 WHERE concert_id = $1', 'tokens'],
    ['UPDATE lotteries SET drawn_count = 4 WHERE concert_id = $1', 'are drawn'],
    ['UPDATE lotteries SET drawn_count = NULL, drawn_at = NULL WHERE concert_id = $1', 'are drawn'],
    ['DELETE FROM lotteries WHERE concert_id = $1', 'published'],
  ])('cannot be rewritten, whatever the code above does: %s', async (sql, hint) => {
    const refused = postgres.pool.query(sql, [await written()]);
    await expect(refused).rejects.toMatchObject({ code: '23000', hint: expect.stringContaining(hint) });
  });

  it('keeps the seed before the draw, and accepts no hash but its own', async () => {
    const { concertId } = await stage({ policy: { opening: 'lottery' } });
    await harness.concerts.find(concertId);
    const other = "decode(repeat('ab', 32), 'hex')";
    const swapped = `UPDATE lotteries SET seed = ${other}, seed_sha256 = sha256(${other}) WHERE concert_id = $1`;
    await expect(postgres.pool.query(swapped, [concertId])).rejects.toMatchObject({ code: '23000' });
    const { concertId: without } = await stage();
    const forged = `INSERT INTO lotteries (concert_id, seed, seed_sha256) VALUES ($1, ${other}, sha256('another'))`;
    await expect(postgres.pool.query(forged, [without])).rejects.toMatchObject({ code: '23514' });
  });
});

describe('a lottery by the settings', () => {
  it('has one seed, whichever instance first reads an existing concert', async () => {
    const { concertId: id } = await harness.concerts.create({
      concertId: concertId(crypto.randomUUID()),
      title: 'From before',
      venue: 'A hall',
      currency: 'KRW',
      salesOpenAt: new Date(0),
      dates: [{ date: concertDate('2099-05-01'), startsAt: new Date('2099-05-01T10:00:00Z'), seats: [] }],
      policy: {},
    });
    const instances = Array.from({ length: 4 }, () => postgresConcerts(postgres, { ...POLICY, opening: 'lottery' }));
    const seen = await Promise.all(instances.map((concerts) => concerts.find(id)));
    expect(seen[0]?.lottery?.seedSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(seen.map((concert) => concert?.lottery?.seedSha256)).size).toBe(1);
    expect(seen[0]?.policy.opening).toBe('lottery');
    expect((await harness.concerts.find(id))?.lottery).toBeUndefined();
  });
});

async function recorded(concertId: ConcertId): Promise<QueueEvent[]> {
  const rows = await (await harness.postgres.prisma()).queueEvent.findMany({
    where: { concertId },
    orderBy: [{ loggedMs: 'asc' }, { loggedCounter: 'asc' }, { loggedIndex: 'asc' }],
  });
  return rows.map(({ loggedMs, loggedCounter, loggedIndex, kind, sequence, admissionOrder, joinedAt, happenedAt }) => ({
    eventId: `${loggedMs}-${loggedCounter}-${loggedIndex}`,
    kind: kind as QueueEvent['kind'],
    sequence: Number(sequence),
    order: Number(admissionOrder),
    joinedAt: joinedAt ?? undefined,
    at: happenedAt,
  }));
}
