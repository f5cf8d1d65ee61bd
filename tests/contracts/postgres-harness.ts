import { v7 as newId } from 'uuid';
import { afterAll, vi } from 'vitest';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { postgresDeliveries } from '#adapters/postgres/events/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events/events.ts';
import { postgresWebhooks } from '#adapters/postgres/events/webhooks.ts';
import { postgresQueueRecords } from '#adapters/postgres/queue/postgres-queue-records.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
import type { PlaceInHall } from '#domain/catalog/seat-plan.ts';
import { concertId } from '#domain/ids.ts';
import type { StoredSeat } from '#tests/fakes/memory-store.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { POLICY, stageConcert } from './stage-concert.ts';
import type { StoreHarness } from './store-harness.ts';

export type PostgresHarness = StoreHarness & { readonly postgres: Postgres; readonly databaseUrl: string };

/** Every deadline in the store. */
const DEADLINES = [
  'seats.held_until',
  'reservations.held_until',
  'reservations.created_at',
  'outbox_messages.due_at',
  'idempotency_keys.answered_at',
  'concert_dates.starts_at',
  'concerts.sales_open_at',
  'concerts.opens_at',
  'relays.leased_until',
  'events.relayed_at',
  'webhook_endpoints.previous_secret_until',
  'webhook_deliveries.due_at',
  'webhook_deliveries.ended_at',
].map((column) => column.split('.'));

/**
 * The real adapters on a database of their own. Time goes by there by moving all deadlines into the past at once, and by
 * moving the clock that caches read. Called at the top of a test file, where hooks are registered.
 */
export async function postgresHarness(): Promise<PostgresHarness> {
  const databaseUrl = await freshDatabase();
  const postgres = openPostgres(databaseUrl);
  vi.useFakeTimers({ toFake: ['performance'] });
  afterAll(async () => {
    vi.useRealTimers();
    await postgres.close();
  });
  const { pool } = postgres;
  const prisma = await postgres.prisma();

  return {
    postgres,
    databaseUrl,
    boxOffice: postgresBoxOffice(postgres),
    wallets: postgresWallets(postgres),
    concerts: postgresConcerts(postgres, POLICY),
    queueRecords: postgresQueueRecords(postgres),
    events: postgresEvents(postgres),
    webhooks: postgresWebhooks(postgres),
    deliveries: postgresDeliveries(postgres),

    async stage(staged) {
      const concert = stageConcert(concertId(newId()), Date.now(), staged);
      const { dates, policy, seatPlan: _, ...row } = concert;
      const { concertId: id } = concert;
      /** What the numbers of a seat's row lie between. */
      const numbersOfRow = (seats: readonly StoredSeat[], { section, row }: PlaceInHall) => {
        const numbers = seats.flatMap(({ seatNumber, at }) =>
          at?.section === section && at.row === row ? [seatNumber] : [],
        );
        return { rowFirst: Math.min(...numbers), rowLast: Math.max(...numbers) };
      };
      const dateOf = (date: string) => new Date(`${date}T00:00:00Z`);
      await prisma.concert.create({ data: { ...row, ...policy } });
      await prisma.concertDate.createMany({
        data: dates.map(({ date, startsAt }) => ({ concertId: id, date: dateOf(date), startsAt })),
      });
      await prisma.seat.createMany({
        data: dates.flatMap(({ date, seats }) =>
          seats.map(({ seatNumber, price, status, at }) => ({
            concertId: id,
            date: dateOf(date),
            seatNumber,
            price,
            status,
            ...(at && { section: at.section, rowLabel: at.row, rowRank: at.rank, place: at.place }),
            ...(at && { offCentre: at.offCentre, grade: at.grade, ...numbersOfRow(seats, at) }),
          })),
        ),
      });
      return concert;
    },

    async passes(milliseconds) {
      const moves = DEADLINES.map(
        ([table, column]) => `UPDATE ${table} SET ${column} = ${column} - interval '${milliseconds} ms'`,
      );
      await pool.query(moves.join(';'));
      vi.advanceTimersByTime(milliseconds);
    },
  };
}
