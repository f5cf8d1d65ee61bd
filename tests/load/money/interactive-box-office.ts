import type { PrismaClient } from '#adapters/postgres/generated/client.ts';
import type { Sale } from './sales.ts';

// What hold and pay write and lock, as an application does it that has no functions in its database: step by step in an
// interactive transaction of Prisma. Only for comparison: `docs/design/decisions/0002` says why Frontrow does not.

const HOLD_SECONDS = 300;

/** Holds a seat, and pays it in a second transaction. */
export async function sellInteractively(prisma: PrismaClient, sale: Sale): Promise<void> {
  const { concertId, date, seatNumber, userId, reservationId, paymentId, keys } = sale;
  const day = new Date(`${date}T00:00:00Z`);

  await prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${userId} ${keys.hold}`}, 0))::text`;
    await tx.idempotencyKey.findUnique({ where: { userId_key: { userId, key: keys.hold } } });
    const concert = await tx.concertDate.findUniqueOrThrow({
      where: { concertId_date: { concertId, date: day } },
      include: { concert: { select: { currency: true } } },
    });
    await tx.user.findUniqueOrThrow({ where: { userId } });
    await tx.buyer.createMany({ data: { concertId, date: day, userId }, skipDuplicates: true });
    await tx.$queryRaw`SELECT 1 FROM buyers
      WHERE concert_id = ${concertId}::uuid AND date = ${date}::date AND user_id = ${userId}::uuid FOR UPDATE`;
    const [seat] = await tx.$queryRaw<{ status: string; price: bigint; fence: bigint; now: Date }[]>`
      SELECT status, price, fence, clock_timestamp() AS now FROM seats
      WHERE concert_id = ${concertId}::uuid AND date = ${date}::date AND seat_number = ${seatNumber} FOR UPDATE`;
    if (seat?.status !== 'AVAILABLE') throw new Error(`seat ${seatNumber} is ${seat?.status}`);
    await tx.reservationSeat.count({
      where: { reservation: { userId, concertId, date: day }, status: { in: ['HELD', 'CONFIRMED'] } },
    });
    const heldUntil = new Date(seat.now.getTime() + HOLD_SECONDS * 1_000);
    const reservation = await tx.reservation.create({
      data: {
        ...{ reservationId, userId, concertId, date: day, amount: seat.price, currency: concert.concert.currency },
        ...{ heldUntil, heldForSeconds: HOLD_SECONDS, createdAt: seat.now },
      },
    });
    const fence = seat.fence + 1n;
    await tx.reservationSeat.create({
      data: { reservationId, concertId, date: day, seatNumber, fence, price: seat.price },
    });
    await tx.seat.update({
      where: { concertId_date_seatNumber: { concertId, date: day, seatNumber } },
      data: { status: 'HELD', heldUntil, reservationId, fence },
    });
    await tx.outboxMessage.create({ data: { reservationId, dueAt: seat.now } });
    const answer = { reservationId, amount: Number(reservation.amount), heldUntil: heldUntil.toISOString() };
    await tx.idempotencyKey.create({
      data: { userId, key: keys.hold, fingerprint: keys.hold, answer, answeredAt: seat.now },
    });
  });

  await prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${userId} ${keys.pay}`}, 0))::text`;
    await tx.idempotencyKey.findUnique({ where: { userId_key: { userId, key: keys.pay } } });
    await tx.reservationSeat.findMany({ where: { reservationId } });
    await tx.$queryRaw`SELECT 1 FROM buyers
      WHERE concert_id = ${concertId}::uuid AND date = ${date}::date AND user_id = ${userId}::uuid FOR UPDATE`;
    await tx.$queryRaw`SELECT 1 FROM seats
      WHERE concert_id = ${concertId}::uuid AND date = ${date}::date AND seat_number = ${seatNumber} FOR UPDATE`;
    const [reservation] = await tx.$queryRaw<{ status: string; amount: bigint; currency: string; now: Date }[]>`
      SELECT status, amount, currency, clock_timestamp() AS now FROM reservations
      WHERE reservation_id = ${reservationId}::uuid FOR UPDATE`;
    const [wallet] = await tx.$queryRaw<{ balance: bigint }[]>`
      SELECT balance FROM wallets WHERE user_id = ${userId}::uuid FOR UPDATE`;
    if (reservation?.status !== 'HELD' || wallet === undefined || wallet.balance < reservation.amount) {
      throw new Error(`reservation ${reservationId} cannot be paid`);
    }
    const { amount, currency, now } = reservation;
    await tx.ledgerTransaction.create({ data: { transactionId: paymentId, kind: 'PURCHASE', recordedAt: now } });
    await tx.ledgerEntry.createMany({
      data: [
        { transactionId: paymentId, account: 'WALLET', userId, amount: -amount },
        { transactionId: paymentId, account: 'SALES', amount },
      ],
    });
    const balance = wallet.balance - amount;
    await tx.payment.create({ data: { paymentId, reservationId, userId, amount, currency, balance, paidAt: now } });
    await tx.seat.update({
      where: { concertId_date_seatNumber: { concertId, date: day, seatNumber } },
      data: { status: 'SOLD', heldUntil: null, paymentId },
    });
    await tx.reservation.update({ where: { reservationId }, data: { status: 'CONFIRMED', endedAt: now } });
    await tx.outboxMessage.create({ data: { reservationId, dueAt: now } });
    const answer = { paymentId, amount: Number(amount), balance: Number(balance), paidAt: now.toISOString() };
    await tx.idempotencyKey.create({
      data: { userId, key: keys.pay, fingerprint: keys.pay, answer, answeredAt: now },
    });
  });
}
