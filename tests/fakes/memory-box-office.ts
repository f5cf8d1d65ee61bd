import type { Cancellation, OnDate, Payment, Reservation, SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { ReservationId, UserId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { BestOrder, BoxOffice, HeldSeat, HoldOrder, HoldOutcome, Occupied } from '#ports/booking/box-office.ts';
import { bestBlocks, orphanSeatsOf } from '#tests/support/best-seats.ts';
import {
  dataOf,
  enter,
  freePlaces,
  giveBack,
  isFree,
  type MemoryStore,
  pageOf,
  recall,
  remember,
  type StoredDate,
  type StoredSeat,
  statusNow,
  tell,
} from './memory-store.ts';

const ANSWERS_KEPT_MS = 24 * 3_600_000;
/** Delays outbox messages, as the command updates Redis itself first. */
const OUTBOX_DELAY_MS = 1_000;
const OUTBOX_LEASE_MS = 5_000;

const versionOf = ({ status, heldUntil }: Reservation) => `${status} ${heldUntil.getTime()}`;

export function memoryBoxOffice(store: MemoryStore): BoxOffice {
  const now = () => store.clock.now();
  let events = 0;

  function dateOf({ concertId, date }: OnDate): StoredDate | undefined {
    return store.concerts.get(concertId)?.dates.find((on) => on.date === date);
  }

  function seatsOf({ seatNumbers, ...on }: SeatSet): StoredSeat[] {
    return dateOf(on)?.seats.filter(({ seatNumber }) => seatNumbers.includes(seatNumber)) ?? [];
  }

  /** Refuses `seat-not-found`, naming the unknown seats. */
  function knownSeats(asked: SeatSet): StoredSeat[] {
    const seats = seatsOf(asked);
    const missing = asked.seatNumbers.filter((number) => !seats.some(({ seatNumber }) => seatNumber === number));
    if (missing.length > 0) throw new Refusal('seat-not-found', { seatNumbers: missing });
    return seats;
  }

  function ownReservation(userId: UserId, reservationId: ReservationId) {
    const reservation = store.reservations.get(reservationId);
    if (reservation?.userId !== userId) throw new Refusal('reservation-not-found');
    return reservation;
  }

  const paymentFor = (reservationId: ReservationId) =>
    [...store.payments.values()].find((payment) => payment.reservationId === reservationId);

  /** A hold past its deadline is shown as expired. */
  const view = (reservation: Reservation): Reservation => ({ ...reservation, status: statusNow(store, reservation) });

  function announce(reservationId: ReservationId, entry?: EntryId): void {
    const messageId = ++events;
    if (entry !== undefined) store.entriesOfReservations.set(reservationId, entry);
    const dueAt = now() + OUTBOX_DELAY_MS;
    store.outbox.set(messageId, { messageId, reservationId, dueAt, ...(entry === undefined ? {} : { entry }) });
  }

  function occupied({ seatNumber, status, reservationId, heldUntil }: StoredSeat): Occupied {
    const holder = reservationId === undefined ? undefined : store.reservations.get(reservationId);
    return {
      seatNumber,
      ...(holder === undefined ? {} : { by: { userId: holder.userId, reservationId: holder.reservationId } }),
      ...(status === 'HELD' && heldUntil !== undefined ? { forMilliseconds: heldUntil - now() } : {}),
    };
  }

  function heldSeats(seats: readonly StoredSeat[]): HeldSeat[] {
    return seats.flatMap((seat) => {
      const { by, seatNumber, forMilliseconds = 0 } = occupied(seat);
      const isHeld = seat.status === 'HELD' && forMilliseconds > 0 && by !== undefined;
      return isHeld ? [{ seatNumber, ...by, remainingMs: forMilliseconds }] : [];
    });
  }

  function endLapsed(seat: StoredSeat): void {
    const before = seat.reservationId === undefined ? undefined : store.reservations.get(seat.reservationId);
    if (before?.status === 'HELD') {
      before.status = 'EXPIRED';
      tell(store, 'reservation.expired', before.reservationId, before.heldUntil, dataOf(before));
    }
    giveBack(seat);
  }

  function tellHeld(type: 'reservation.held' | 'reservation.extended', held: Reservation, at: Date): void {
    tell(store, type, held.reservationId, at, { ...dataOf(held), heldUntil: held.heldUntil.toISOString() });
  }

  function cancelled(reservation: Reservation): void {
    tell(store, 'reservation.cancelled', reservation.reservationId, new Date(now()), dataOf(reservation));
    announce(reservation.reservationId);
  }

  function holdSeats(order: HoldOrder): HoldOutcome {
    const { entry, holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats, request, ...hold } =
      order;
    const known = recall<Reservation>(store, request);
    if (known !== undefined) return { outcome: 'held', remainingMs: 0, ...known };

    const { userId, concertId, date, seatNumbers, reservationId } = hold;
    const concert = store.concerts.get(concertId);
    const on = dateOf(hold);
    if (concert === undefined || on === undefined || on.startsAt.getTime() <= now()) {
      throw new Refusal('date-not-found');
    }
    if (!store.wallets.has(userId)) throw new Refusal('user-not-found');
    const seats = knownSeats(hold);
    const inTheWay = seats.filter((seat) => !isFree(store, seat));
    if (inTheWay.length > 0) return { outcome: 'taken', occupied: inTheWay.map(occupied) };
    const stranded = strandedSeats === 'off' ? [] : orphanSeatsOf(freePlaces(store, on.seats), seatNumbers);
    if (stranded.length > 0 && strandedSeats === 'enforce')
      throw new Refusal('seat-stranded', { seatNumbers: stranded });
    const made = [...store.reservations.values()].filter(
      (other) => other.userId === userId && other.concertId === concertId,
    );
    const held = made
      .filter((other) => other.date === date)
      .filter((other) => ['HELD', 'CONFIRMED'].includes(statusNow(store, other)))
      .reduce((sum, other) => sum + other.seatNumbers.length, 0);
    if (held + seatNumbers.length > seatsPerUserMax) {
      throw new Refusal('seat-limit-reached', { limit: seatsPerUserMax, held });
    }
    const recent = made.filter(({ createdAt }) => createdAt.getTime() > now() - sessionSeconds * 1_000);
    if (recent.length >= holdsPerSessionMax) {
      throw new Refusal('hold-limit-reached', { limit: holdsPerSessionMax, withinSeconds: sessionSeconds });
    }

    const remainingMs = holdSeconds * 1_000;
    const heldUntil = now() + remainingMs;
    for (const seat of seats) {
      endLapsed(seat);
      Object.assign(seat, { status: 'HELD', heldUntil, reservationId });
    }
    const reservation: Reservation = {
      reservationId,
      userId,
      concertId,
      date,
      seatNumbers,
      status: 'HELD',
      currency: concert.currency,
      amount: seats.reduce((sum, { price }) => sum + price, 0),
      heldUntil: new Date(heldUntil),
      heldForSeconds: holdSeconds,
      createdAt: new Date(now()),
    };
    store.reservations.set(reservationId, { ...reservation });
    tellHeld('reservation.held', reservation, reservation.createdAt);
    announce(reservationId, entry);
    const answer = stranded.length === 0 ? reservation : { ...reservation, strandedSeatNumbers: stranded };
    return { outcome: 'held', remainingMs, ...remember(store, request, answer) };
  }

  return {
    async hold(order) {
      return holdSeats(order);
    },

    async holdBest({ wish, ...order }: BestOrder) {
      const known = recall<Reservation>(store, order.request);
      if (known !== undefined) return { outcome: 'held', remainingMs: 0, ...known };
      const on = dateOf(order);
      if (on === undefined || on.startsAt.getTime() <= now()) throw new Refusal('date-not-found');
      const free = freePlaces(store, on.seats);
      const [best] = bestBlocks(free, wish, order.strandedSeats);
      if (best === undefined) {
        const { quantity, section, grade } = wish;
        const left = free
          .filter((seat) => section === undefined || seat.section === section)
          .filter((seat) => grade === undefined || seat.grade === grade).length;
        throw new Refusal('no-adjacent-seats', { quantity, left });
      }
      const outcome = holdSeats({ ...order, seatNumbers: best.seatNumbers });
      if (outcome.outcome !== 'held') throw new RangeError('a free seat is taken');
      return outcome;
    },

    async block(asked) {
      const seats = knownSeats(asked);
      const taken = seats.filter((seat) => seat.status !== 'BLOCKED' && !isFree(store, seat));
      if (taken.length > 0) throw new Refusal('seat-taken', { seatNumbers: taken.map(({ seatNumber }) => seatNumber) });
      for (const seat of seats) {
        endLapsed(seat);
        seat.status = 'BLOCKED';
      }
    },

    async unblock(asked) {
      for (const seat of knownSeats(asked)) if (seat.status === 'BLOCKED') seat.status = 'AVAILABLE';
    },

    async knows(request) {
      return recall(store, request) !== undefined;
    },

    async pay({ paymentId, reservationId, entry, request }) {
      const known = recall<Payment>(store, request);
      const { userId, concertId } = entry;
      const reservation = ownReservation(userId, reservationId);
      if (reservation.concertId !== concertId) throw new Refusal('reservation-not-found');
      const { date, seatNumbers, amount, currency } = reservation;
      const hold = { userId, concertId, reservationId, date, seatNumbers };
      if (known !== undefined) return { ...known, hold };

      const status = statusNow(store, reservation);
      const balance = store.wallets.get(userId)?.balance ?? 0;
      if (status === 'CONFIRMED') throw new Refusal('already-paid');
      if (status === 'CANCELLED') throw new Refusal('reservation-not-held');
      if (status === 'EXPIRED') throw new Refusal('hold-expired');
      if (balance < amount) throw new Refusal('insufficient-balance', { required: amount, balance });

      const left = enter(store, { userId, kind: 'PURCHASE', transactionId: paymentId, amount: -amount });
      for (const seat of seatsOf(hold)) {
        seat.status = 'SOLD';
        delete seat.heldUntil;
      }
      reservation.status = 'CONFIRMED';
      const paidAt = new Date(now());
      const payment: Payment = { paymentId, reservationId, userId, amount, currency, balance: left, paidAt };
      store.payments.set(paymentId, { ...payment });
      tell(store, 'payment.captured', reservationId, paidAt, { ...dataOf(reservation), paymentId });
      announce(reservationId, entry);
      return { ...remember(store, request, payment), hold };
    },

    async release(userId, reservationId) {
      const reservation = ownReservation(userId, reservationId);
      const { concertId, date, seatNumbers } = reservation;
      const hold = { userId, concertId, reservationId, date, seatNumbers };
      const status = statusNow(store, reservation);
      if (status === 'CONFIRMED') throw new Refusal('already-paid');
      if (status === 'EXPIRED') throw new Refusal('hold-expired');
      if (status === 'HELD') {
        for (const seat of seatsOf(hold)) giveBack(seat);
        reservation.status = 'CANCELLED';
        cancelled(reservation);
      }
      return hold;
    },

    async extend({ reservationId, entry, holdSeconds, holdSecondsMax, request }) {
      const known = recall<Reservation>(store, request);
      if (known !== undefined) return { ...known, remainingMs: 0 };
      const reservation = ownReservation(entry.userId, reservationId);
      if (reservation.concertId !== entry.concertId) throw new Refusal('reservation-not-found');
      const status = statusNow(store, reservation);
      const until = reservation.heldUntil.getTime();
      const createdAt = reservation.createdAt.getTime();
      const ceiling = createdAt + holdSecondsMax * 1_000;
      if (status === 'CONFIRMED') throw new Refusal('already-paid');
      if (status === 'CANCELLED') throw new Refusal('reservation-not-held');
      if (status === 'EXPIRED') throw new Refusal('hold-expired');
      if (until >= ceiling) throw new Refusal('hold-at-ceiling');

      const heldUntil = Math.max(until, Math.min(ceiling, now() + holdSeconds * 1_000));
      for (const seat of seatsOf(reservation)) seat.heldUntil = heldUntil;
      reservation.heldUntil = new Date(heldUntil);
      reservation.heldForSeconds = Math.ceil((heldUntil - createdAt) / 1_000);
      if (heldUntil > until) tellHeld('reservation.extended', reservation, new Date(now()));
      announce(reservationId, entry);
      return { ...remember(store, request, { ...reservation }), remainingMs: heldUntil - now() };
    },

    async cancel({ refundId, reservationId, refundUntilSeconds, request }) {
      const known = recall<Cancellation>(store, request);
      if (known !== undefined) return known;
      const { userId } = request;
      const reservation = ownReservation(userId, reservationId);
      const status = statusNow(store, reservation);
      if (status === 'CANCELLED') throw new Refusal('already-cancelled');
      if (status === 'EXPIRED') throw new Refusal('hold-expired');

      const payment = paymentFor(reservationId);
      const refundedAt = new Date(now());
      if (payment !== undefined) {
        const on = store.concerts.get(reservation.concertId)?.dates.find(({ date }) => date === reservation.date);
        const closesAt = (on?.startsAt.getTime() ?? 0) - refundUntilSeconds * 1_000;
        if (refundUntilSeconds < 0 || closesAt <= now()) throw new Refusal('refund-closed');
      }
      if (payment !== undefined) {
        const { paymentId } = payment;
        tell(store, 'payment.refunded', reservationId, refundedAt, { ...dataOf(reservation), paymentId, refundId });
      }
      for (const seat of seatsOf(reservation)) giveBack(seat);
      reservation.status = 'CANCELLED';
      cancelled(reservation);
      const answer = { reservation: { ...reservation } };
      if (payment === undefined) return remember<Cancellation>(store, request, answer);

      const { paymentId, amount, currency } = payment;
      payment.refundedAt = refundedAt;
      const balance = enter(store, { userId, kind: 'REFUND', transactionId: refundId, amount });
      const refund = { refundId, paymentId, amount, currency, balance, refundedAt };
      return remember<Cancellation>(store, request, { ...answer, refund });
    },

    async expireLapsed(batchMax) {
      const lapsed = [...store.concerts.values()]
        .flatMap(({ dates }) => dates.flatMap(({ seats }) => seats))
        .filter((seat) => seat.status === 'HELD' && isFree(store, seat))
        .slice(0, batchMax);
      for (const seat of lapsed) endLapsed(seat);
      return lapsed.length;
    },

    async forgetAnswers(batchMax) {
      const old = [...store.answers].filter(([, { answeredAt }]) => answeredAt < now() - ANSWERS_KEPT_MS);
      for (const [request] of old.slice(0, batchMax)) store.answers.delete(request);
      return Math.min(old.length, batchMax);
    },

    async takeOutboxMessages(batchMax) {
      const due = [...store.outbox.values()].filter(({ dueAt }) => dueAt <= now()).slice(0, batchMax);
      return due.flatMap((event) => {
        event.dueAt = now() + OUTBOX_LEASE_MS;
        const reservation = store.reservations.get(event.reservationId);
        if (reservation === undefined) return [];
        const { userId, concertId, date, seatNumbers, reservationId, status, heldUntil } = reservation;
        const remainingMs = status === 'HELD' ? Math.max(0, heldUntil.getTime() - now()) : 0;
        const hold = { userId, concertId, date, seatNumbers, reservationId };
        const paid = paymentFor(reservationId) !== undefined;
        const version = versionOf(reservation);
        const message = { messageId: String(event.messageId), version, hold, status, paid, remainingMs };
        return [event.entry === undefined ? message : { ...message, entry: event.entry }];
      });
    },

    async ackOutboxMessages(messages) {
      const acked = messages.filter(({ messageId, version }) => {
        const event = store.outbox.get(Number(messageId));
        const reservation = event && store.reservations.get(event.reservationId);
        return reservation !== undefined && versionOf(reservation) === version;
      });
      for (const { messageId } of acked) store.outbox.delete(Number(messageId));
      return acked.map(({ messageId }) => messageId);
    },

    async retryOutboxMessages(messageIds) {
      for (const messageId of messageIds) {
        const event = store.outbox.get(Number(messageId));
        if (event !== undefined) event.dueAt = now() + OUTBOX_DELAY_MS;
      }
    },

    async findHeld(on, seatNumbers) {
      return heldSeats(seatsOf({ ...on, seatNumbers })).sort((a, b) => a.seatNumber - b.seatNumber);
    },

    async findReservation(userId, reservationId) {
      const reservation = store.reservations.get(reservationId);
      return reservation?.userId === userId ? view(reservation) : undefined;
    },

    async listReservations(userId, page) {
      const own = [...store.reservations.values()].filter((reservation) => reservation.userId === userId);
      return pageOf(own.map(view), ({ reservationId }) => reservationId, page);
    },

    async findPayment(userId, paymentId) {
      const payment = store.payments.get(paymentId);
      return payment?.userId === userId ? { ...payment } : undefined;
    },

    async listPayments(userId, page) {
      const own = [...store.payments.values()].filter((payment) => payment.userId === userId);
      return pageOf(own, ({ paymentId }) => paymentId, page);
    },
  };
}
