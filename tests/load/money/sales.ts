import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { type ConcertDate, type ConcertId, paymentId, reservationId, userId } from '#domain/ids.ts';
import { DATE, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { sellInteractively } from './interactive-box-office.ts';

/** A seat and who is going to have it: nobody else wants either. */
export type Sale = {
  readonly concertId: ConcertId;
  readonly date: ConcertDate;
  readonly seatNumber: number;
  readonly userId: string;
  readonly reservationId: string;
  readonly paymentId: string;
  readonly keys: { readonly hold: string; readonly pay: string };
};

export const SIDES = ['adapter', 'bare', 'interactive'] as const;
/** Sales per second, round by round. */
export type SalesMeasured = Readonly<Record<(typeof SIDES)[number], readonly number[]>>;

const SALES_A_ROUND = 1_500;
/** More than there are connections, so that none is ever idle. */
const AT_ONCE = 16;
const TERMS = [300, 4, 30, 600, 'off', 1, 'AAAAAAAA'] as const;

/** Hold and pay of distinct seats by distinct users, three ways in turn, each over the same pool of connections. */
export async function measureSales(postgres: Postgres, rounds: number): Promise<SalesMeasured> {
  const { pool } = postgres;
  const prisma = await postgres.prisma();
  const concertId = await openHall(pool, { seats: SIDES.length * (rounds + 1) * SALES_A_ROUND });
  const boxOffice = postgresBoxOffice(postgres);
  const [holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats, sequence, epoch] = TERMS;
  let seats = 0;

  async function newSales(): Promise<Sale[]> {
    const users = await makeUsers(pool, SALES_A_ROUND, PRICE);
    return users.map((id) => ({
      concertId,
      date: DATE,
      seatNumber: ++seats,
      userId: id,
      reservationId: newId(),
      paymentId: newId(),
      keys: { hold: newId(), pay: newId() },
    }));
  }

  const ways: Readonly<Record<(typeof SIDES)[number], (sale: Sale) => Promise<unknown>>> = {
    async adapter(sale) {
      const user = userId(sale.userId);
      const entry = { concertId, userId: user, sequence, epoch };
      const reservation = reservationId(sale.reservationId);
      const request = (key: string) => ({ userId: user, key, fingerprint: key });
      await boxOffice.hold({
        ...{ concertId, date: DATE, seatNumbers: [sale.seatNumber], userId: user, reservationId: reservation, entry },
        ...{
          holdSeconds,
          seatsPerUserMax,
          holdsPerSessionMax,
          sessionSeconds,
          strandedSeats,
          request: request(sale.keys.hold),
        },
      });
      const paid = { paymentId: paymentId(sale.paymentId), reservationId: reservation, entry };
      await boxOffice.pay({ ...paid, request: request(sale.keys.pay) });
    },
    async bare({ seatNumber, userId: user, reservationId: reservation, paymentId: payment, keys }) {
      const { holdChosenSeats: hold, payReservation: pay } = functions;
      const held = [reservation, user, concertId, DATE, [seatNumber], ...TERMS, keys.hold, keys.hold];
      await pool.query({ name: hold.name, text: hold.text, values: held });
      const paid = [payment, user, concertId, reservation, sequence, epoch, keys.pay, keys.pay];
      await pool.query({ name: pay.name, text: pay.text, values: paid });
    },
    interactive: (sale) => sellInteractively(prisma, sale),
  };

  const measured: Record<(typeof SIDES)[number], number[]> = { adapter: [], bare: [], interactive: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const side of SIDES) {
      const sales = await newSales();
      const start = performance.now();
      await inParallel(sales, AT_ONCE, ways[side]);
      const perSecond = SALES_A_ROUND / ((performance.now() - start) / 1_000);
      if (round > 0) measured[side].push(perSecond);
    }
  }
  const { rows } = await pool.query<{ sold: number }>(
    `SELECT count(*)::integer AS sold FROM seats WHERE concert_id = $1 AND status = 'SOLD'`,
    [concertId],
  );
  if (rows[0]?.sold !== seats) throw new Error(`${rows[0]?.sold} seats are sold, not ${seats}`);
  return measured;
}
