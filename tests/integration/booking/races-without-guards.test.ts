import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { HoldKeys } from '#ports/booking/hold-keys.ts';
import type { Lock } from '#ports/booking/lock.ts';
import { contradictions } from '#tests/support/books.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, lapse, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { countOf, outcomeOf } from '#tests/support/outcome.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { withStartingGun } from '#tests/support/starting-gun.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

// What Redis does for seats only keeps the crowd away from Postgres. Here it does not, and nothing is sold twice.

const databaseUrl = await freshDatabase();
const instances = await Promise.all([1, 2, 3].map(() => realPorts(databaseUrl, inject('redisUrl'))));
const pool = new Pool({ connectionString: databaseUrl, max: 2 });
pool.on('error', () => {});
afterAll(() => Promise.all([pool.end(), ...instances.map(({ close }) => close())]));

const lockOfNothing: Lock = { during: async (_seats, work) => ({ contended: false, value: await work() }) };
const keysForNobody: HoldKeys = {
  acquire: async () => 'acquired',
  prolong: async () => {},
  keep: async () => {},
  remember: async () => {},
  release: async () => {},
  putBack: async () => false,
};

describe.each([
  ['a lock that locks nothing', { lock: lockOfNothing }],
  ['hold keys that let everybody through', { holdKeys: keysForNobody }],
  ['neither lock nor hold keys', { lock: lockOfNothing, holdKeys: keysForNobody }],
])('with %s', (_, broken) => {
  /** The ports of the instance whose turn it is. */
  const portsFor = (index: number) => {
    const instance = instances[index % instances.length];
    if (instance === undefined) throw new RangeError('no instance');
    return { ...instance.ports, ...broken };
  };
  const entryOf = (id: string, concertId: ConcertId): QueueEntry => ({
    userId: userId(id),
    concertId,
    sequence: 1,
    epoch: 'none',
    joinedAt: new Date(0),
  });
  const newRequest = (entry: QueueEntry) => ({ userId: entry.userId, key: randomUUID(), fingerprint: 'asked' });
  const reserve = (index: number, entry: QueueEntry, seatNumbers: readonly number[]) =>
    reserveSeats(portsFor(index), { entry, date: DATE, seatNumbers, request: newRequest(entry) });

  test('a seat is held once, whoever asks for it at once', async () => {
    const concert = await openHall(pool, { seats: 1 });
    const users = await makeUsers(pool, 100);

    const race = () => Promise.all(users.map((id, index) => outcomeOf(reserve(index, entryOf(id, concert), [1]))));
    // Where nothing of Redis stands in the way, all connections get as far as the seat.
    const outcomes =
      Object.keys(broken).length < 2
        ? await race()
        : await withStartingGun(pool, 'FROM seats WHERE concert_id = $1', [concert], 20, race);

    expect(countOf(outcomes)).toEqual({ done: 1, 'seat-taken': 99 });
    expect(await contradictions(pool)).toEqual([]);
  });

  test('each seat is sold once, however many reserve and pay at once', async () => {
    const concert = await openHall(pool, { seats: 20 });
    const users = await makeUsers(pool, 80, PRICE);

    const outcomes = await Promise.all(
      users.map(async (id, index) => {
        const entry = entryOf(id, concert);
        return outcomeOf(
          reserve(index, entry, [(index % 20) + 1]).then(({ answer: { reservationId } }) =>
            pay(portsFor(index + 1), { entry, reservationId, request: newRequest(entry) }),
          ),
        );
      }),
    );

    expect(countOf(outcomes)).toEqual({ done: 20, 'seat-taken': 60 });
    const { rows } = await pool.query(
      `SELECT count(*)::integer AS sold FROM seats WHERE concert_id = $1 AND status = 'SOLD'`,
      [concert],
    );
    expect(rows).toEqual([{ sold: 20 }]);
    expect(await contradictions(pool)).toEqual([]);
  });

  test('a seat whose hold has ended goes to one of the crowd, though nobody has tidied it away', async () => {
    const concert = await openHall(pool, { seats: 1 });
    const [first = '', ...users] = await makeUsers(pool, 41);
    const { answer } = await reserve(0, entryOf(first, concert), [1]);
    await lapse(pool, answer.reservationId);
    await portsFor(0).holdKeys.release(answer);

    const outcomes = await Promise.all(users.map((id, index) => outcomeOf(reserve(index, entryOf(id, concert), [1]))));

    expect(countOf(outcomes)).toEqual({ done: 1, 'seat-taken': 39 });
    const { rows } = await pool.query('SELECT status FROM reservations WHERE reservation_id = $1', [
      answer.reservationId,
    ]);
    expect(rows).toEqual([{ status: 'EXPIRED' }]);
    expect(await contradictions(pool)).toEqual([]);
  });

  test('groups that want overlapping seats get all or none, without deadlock', async () => {
    const concert = await openHall(pool, { seats: 12 });
    const users = await makeUsers(pool, 60);
    const wanted = (index: number) => [3, 0, 2, 1].map((offset) => ((index * 7 + offset * 5) % 12) + 1);

    const outcomes = await Promise.all(
      users.map((id, index) => outcomeOf(reserve(index, entryOf(id, concert), wanted(index)))),
    );

    const { done = 0, ...refused } = countOf(outcomes);
    expect(done).toBeGreaterThan(0);
    expect(refused).toEqual({ 'seat-taken': 60 - done });
    const { rows } = await pool.query(
      `SELECT count(*)::integer AS held FROM seats WHERE concert_id = $1 AND status = 'HELD'`,
      [concert],
    );
    expect(rows).toEqual([{ held: done * 4 }]);
    expect(await contradictions(pool)).toEqual([]);
  });

  test('the best seats sell out in pairs, and nobody is refused before', async () => {
    const concert = await openHall(pool, { seats: 40 });
    const users = await makeUsers(pool, 80);

    const outcomes = await Promise.all(
      users.map((id, index) => {
        const entry = entryOf(id, concert);
        const asked = { entry, date: DATE, wish: { quantity: 2 }, request: newRequest(entry) };
        return outcomeOf(reserveSeats(portsFor(index), asked));
      }),
    );

    expect(countOf(outcomes)).toEqual({ done: 20, 'no-adjacent-seats': 60 });
    expect(await contradictions(pool)).toEqual([]);
  });
});
