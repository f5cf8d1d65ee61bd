import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
import { chargeId, refundId, reservationId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import type { Wallets } from '#ports/wallet/wallets.ts';
import { heldAt, newRequest, payAt, placeOf } from '#tests/support/box-offices.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { outcomeOf } from '#tests/support/outcome.ts';

// Two who buy different seats of one date have no row in common: neither waits for the other, whatever is being written.

const databaseUrl = await freshDatabase();
const slow = office();
const other = office();
/** Refused as soon as it waits for a lock, as the slow one lets go of none until afterwards. */
const hasty = office(200);

type Office = { readonly boxOffice: BoxOffice; readonly wallets: Wallets };

/** With a single connection, so that what is begun on it is what its adapters work in. */
function office(lockTimeoutMs?: number) {
  const postgres = openPostgres(databaseUrl, { poolMax: 1, ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }) });
  afterAll(() => postgres.close());
  return { pool: postgres.pool, boxOffice: postgresBoxOffice(postgres), wallets: postgresWallets(postgres) };
}

/** Charges the balance; holds two seats and pays them, holds a third and gives it back, and has the price of the two back. */
async function buy({ boxOffice, wallets }: Office, entry: EntryId, seat: number): Promise<void> {
  const charge = { chargeId: chargeId(randomUUID()), amount: PRICE, balanceMax: 100 * PRICE };
  await wallets.charge({ ...charge, request: newRequest(entry) });
  const kept = await heldAt(boxOffice, entry, seat);
  const brief = await heldAt(boxOffice, entry, seat + 1);
  await payAt(boxOffice, entry, kept);
  await boxOffice.release(entry.userId, reservationId(brief));
  await boxOffice.cancel({
    ...{ refundId: refundId(randomUUID()), reservationId: reservationId(kept), refundUntilSeconds: 60 },
    ...{ userId: entry.userId, request: newRequest(entry) },
  });
  await payAt(boxOffice, entry, await heldAt(boxOffice, entry, seat));
}

async function paidBy(pool: Pool, { userId }: EntryId): Promise<number | null> {
  return (await pool.query('SELECT FROM payments WHERE user_id = $1', [userId])).rowCount;
}

/** What comes of buying while another one has bought, and has not committed any of it. */
async function meanwhile(buyer: Office): Promise<string> {
  const concert = await openHall(other.pool);
  const [first, second] = (await makeUsers(other.pool, 2, PRICE)).map((id) => placeOf(concert, id)) as [
    EntryId,
    EntryId,
  ];
  await slow.pool.query('BEGIN');
  try {
    await buy(slow, first, 1);
    // What is checked at commit has been, and has locked what it locks.
    await slow.pool.query('SET CONSTRAINTS ALL IMMEDIATE');
    expect([await paidBy(slow.pool, first), await paidBy(other.pool, first)]).toEqual([2, 0]);
    return await outcomeOf(buy(buyer, second, 11));
  } finally {
    await slow.pool.query('ROLLBACK');
  }
}

describe('two buyers of different seats of one date', () => {
  test('do not wait for each other', async () => {
    expect(await meanwhile(other)).toBe('done');
  });

  test('would wait if one row counted the seats left', async () => {
    await other.pool.query(`
      CREATE TABLE seats_left (concert_id uuid, date date, count integer, PRIMARY KEY (concert_id, date));
      CREATE FUNCTION count_seats_left() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO seats_left VALUES (NEW.concert_id, NEW.date, -1)
            ON CONFLICT (concert_id, date) DO UPDATE SET count = seats_left.count - 1;
          RETURN NULL;
        END $$;
      CREATE TRIGGER seats_counted AFTER UPDATE ON seats FOR EACH ROW EXECUTE FUNCTION count_seats_left()`);
    await expect(meanwhile(hasty)).resolves.toBe('busy');
  });
});
