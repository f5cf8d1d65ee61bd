import { createHash, randomBytes } from 'node:crypto';
import type { Payment, Reservation, ReservationStatus } from '#domain/booking/reservation.ts';
import type { Concert, Seat } from '#domain/catalog/concert.ts';
import { type KeptPlan, numbersOf, offCentre, type PlaceInHall, type SeatRun } from '#domain/catalog/seat-plan.ts';
import { Refusal } from '#domain/errors.ts';
import type { EventData, EventType, PublicEvent } from '#domain/events/public-event.ts';
import type { Attempt, Delivery, Endpoint } from '#domain/events/webhook.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import type { ConcertDate, ConcertId, EndpointId, PaymentId, ReservationId, UserId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { Money } from '#domain/wallet/money.ts';
import type { Balance, LedgerEntry } from '#domain/wallet/wallet.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import type { FreeSeat } from '#tests/support/best-seats.ts';
import type { MemoryClock } from './memory-clock.ts';

// Stands for Postgres: one store behind box office, wallets and concerts. Nothing in it awaits, so each command is
// atomic.

type Stored<T> = { -readonly [K in keyof T]: T[K] };

export type StoredSeat = Stored<Omit<Seat, 'at'>> & {
  heldUntil?: number;
  reservationId?: ReservationId;
  readonly at?: PlaceInHall;
};
export type StoredDate = { readonly date: ConcertDate; readonly startsAt: Date; readonly seats: StoredSeat[] };
export type StoredConcert = Omit<Concert, 'sales' | 'opensAt' | 'opened' | 'opensInSeconds' | 'lottery'> & {
  readonly dates: readonly StoredDate[];
  readonly seatPlan?: KeptPlan;
};
export type StoredLots = { readonly seed: Buffer; drawn?: { readonly count: number; readonly at: Date } };
export type StoredQueue = {
  readonly epoch: string;
  drawn: number;
  head: number;
};
export type StoredMessage = {
  readonly messageId: number;
  readonly reservationId: ReservationId;
  readonly entry?: EntryId;
  dueAt: number;
};

/** A public event, and when it was relayed. */
export type StoredPublicEvent = { readonly event: PublicEvent; relayedAt?: number };
export type StoredEndpoint = Stored<Endpoint> & { secret: string; previousSecret?: string };
export type StoredDelivery = Stored<
  Pick<Delivery, 'deliveryId' | 'endpointId' | 'state' | 'attempts' | 'createdAt'>
> & {
  readonly event: PublicEvent;
  tries: number;
  dueAt: number;
  endedAt?: number;
  readonly attemptLog: Attempt[];
};

export type MemoryStore = {
  readonly clock: MemoryClock;
  readonly concerts: Map<ConcertId, StoredConcert>;
  readonly lots: Map<ConcertId, StoredLots>;
  readonly queues: Map<ConcertId, StoredQueue>;
  readonly lineEvents: Map<ConcertId, Map<string, QueueEvent>>;
  readonly wallets: Map<UserId, Stored<Balance>>;
  /** The entries of wallets, oldest first. */
  readonly entries: (LedgerEntry & { readonly userId: UserId })[];
  readonly reservations: Map<ReservationId, Stored<Reservation>>;
  /** The entry whose session a reservation prolongs, and ends once it is paid. */
  readonly entriesOfReservations: Map<ReservationId, EntryId>;
  readonly payments: Map<PaymentId, Stored<Payment>>;
  readonly answers: Map<
    string,
    { readonly fingerprint: string; readonly answer: unknown; readonly answeredAt: number }
  >;
  readonly outbox: Map<number, StoredMessage>;
  /** In order. */
  readonly events: StoredPublicEvent[];
  readonly relay: { fencingToken: number; leasedUntil: number; told: number; unacked: number };
  readonly endpoints: Map<EndpointId, StoredEndpoint>;
  readonly deliveries: Map<string, StoredDelivery>;
};

export function memoryStore(clock: MemoryClock): MemoryStore {
  return {
    clock,
    concerts: new Map(),
    lots: new Map(),
    queues: new Map(),
    lineEvents: new Map(),
    wallets: new Map(),
    entries: [],
    reservations: new Map(),
    entriesOfReservations: new Map(),
    payments: new Map(),
    answers: new Map(),
    outbox: new Map(),
    events: [],
    relay: { fencingToken: 0, leasedUntil: 0, told: 0, unacked: 0 },
    endpoints: new Map(),
    deliveries: new Map(),
  };
}

/** The row length in a hall without a plan, which is one section. */
const UNPLANNED_ROW_SEATS = 10;

export function placeWithoutPlan(seatNumber: number): Omit<FreeSeat, 'seatNumber'> {
  const rank = Math.ceil(seatNumber / UNPLANNED_ROW_SEATS);
  const place = ((seatNumber - 1) % UNPLANNED_ROW_SEATS) + 1;
  return { section: '', row: String(rank), rank, place, offCentre: offCentre(place, UNPLANNED_ROW_SEATS), grade: null };
}

/** The stored answer to this command, if there is one. */
export function recall<T>(
  { answers }: MemoryStore,
  { userId, key, fingerprint }: IdempotencyKey,
): Answered<T> | undefined {
  const known = answers.get(`${userId} ${key}`);
  if (known === undefined) return undefined;
  if (known.fingerprint !== fingerprint) throw new Refusal('idempotency-key-reused');
  return { answer: known.answer as T, replayed: true };
}

/** Stores the first answer. */
export function remember<T>({ answers, clock }: MemoryStore, request: IdempotencyKey, answer: T): Answered<T> {
  const { userId, key, fingerprint } = request;
  answers.set(`${userId} ${key}`, { fingerprint, answer, answeredAt: clock.now() });
  return { answer, replayed: false };
}

/** Changes a balance, by a ledger entry only. Returns the balance. */
export function enter(
  { wallets, entries, clock }: MemoryStore,
  entry: { userId: UserId; kind: LedgerEntry['kind']; transactionId: string; amount: Money },
): Money {
  const wallet = wallets.get(entry.userId);
  if (wallet === undefined || wallet.balance + entry.amount < 0) throw new RangeError('no wallet, or not enough in it');
  wallet.balance += entry.amount;
  entries.push({
    ...entry,
    entryId: String(entries.length + 1),
    balance: wallet.balance,
    currency: wallet.currency,
    recordedAt: new Date(clock.now()),
  });
  return wallet.balance;
}

/** Creates the seed of a lottery at the first read. */
export function lotsOf({ lots }: MemoryStore, concertId: ConcertId): StoredLots {
  const known = lots.get(concertId) ?? { seed: randomBytes(32) };
  lots.set(concertId, known);
  return known;
}

export const sha256 = (input: Uint8Array) => createHash('sha256').update(input).digest();

/** Free, or held past the deadline. */
export function isFree({ clock }: MemoryStore, { status, heldUntil = 0 }: StoredSeat): boolean {
  return status === 'AVAILABLE' || (status === 'HELD' && heldUntil <= clock.now());
}

/** The seats of runs, by number. */
export function placedSeats(runs: readonly SeatRun[], blocked: readonly number[]): StoredSeat[] {
  const seats = runs.flatMap(({ at, price, ...run }) =>
    numbersOf(run).map(
      (seatNumber, index): StoredSeat => ({
        seatNumber,
        price,
        status: blocked.includes(seatNumber) ? 'BLOCKED' : 'AVAILABLE',
        ...(at && { at: { ...at, place: at.place + index, offCentre: at.offCentre + 2 * index } }),
      }),
    ),
  );
  return seats.sort((a, b) => a.seatNumber - b.seatNumber);
}

/** The places of the free seats. */
export function freePlaces(store: MemoryStore, seats: readonly StoredSeat[]): FreeSeat[] {
  return seats
    .filter((seat) => isFree(store, seat))
    .map(({ seatNumber, at }) => ({ seatNumber, ...(at ?? placeWithoutPlan(seatNumber)) }));
}

/** The status now, recorded or not. */
export function statusNow({ clock }: MemoryStore, { status, heldUntil }: Reservation): ReservationStatus {
  return status === 'HELD' && heldUntil.getTime() <= clock.now() ? 'EXPIRED' : status;
}

export function giveBack(seat: StoredSeat): void {
  seat.status = 'AVAILABLE';
  delete seat.heldUntil;
  delete seat.reservationId;
}

/** A page of a list whose ids sort by age, newest first. */
export function pageOf<T>(all: Iterable<T>, idOf: (item: T) => string, { limit, after }: PageRequest): Page<T> {
  const sorted = [...all].sort((a, b) => compare(idOf(b), idOf(a)));
  const rest = after === undefined ? sorted : sorted.filter((item) => compare(idOf(item), after) < 0);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return rest.length > limit && last !== undefined ? { items, next: idOf(last) } : { items };
}

/** UUIDs by text, numbers by value. */
function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Writes an event in the commit of its change. */
export function tell<T extends EventType>(
  { events, relay }: MemoryStore,
  type: T,
  aggregateId: string,
  at: Date,
  data: EventData<T>,
): PublicEvent {
  relay.told += 1;
  const before = events.findLast(({ event }) => event.aggregateId === aggregateId)?.event;
  const aggregateSequence = (before?.aggregateSequence ?? 0) + 1;
  const event = { eventId: String(relay.told), type, aggregateId, aggregateSequence, at, data } as PublicEvent;
  events.push({ event });
  return event;
}

/** The data of an event of a reservation. */
export function dataOf({ reservationId, userId, concertId, date, seatNumbers, amount, currency }: Reservation) {
  return { reservationId, userId, concertId, date, seatNumbers: [...seatNumbers], amount, currency };
}
