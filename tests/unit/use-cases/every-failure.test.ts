import { describe, expect, it } from 'vitest';
import { concertDate, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Lock } from '#ports/booking/lock.ts';
import type { Ports } from '#ports/index.ts';
import { type Fault, failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryLock } from '#tests/fakes/memory-lock.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { noLock } from '#tests/fakes/no-lock.ts';
import { cancelReservation } from '#use-cases/booking/cancel-reservation.ts';
import { extendHold } from '#use-cases/booking/extend-hold.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

// Every call of every port fails in turn, before and after it took effect, and every two of them do. Whoever asked asks
// again with the same Idempotency-Key, the relay comes by, and after that everything agrees.

const BALANCE = 100_000;
const PRICE = 30_000;
/** Also the best two, of five. */
const SEAT_NUMBERS = [1, 2];
const HOLD_SECONDS = 300;
/** When a hold is extended, counted from when it was made. */
const LATER_SECONDS = 100;
/** Each fault costs at most one try. */
const TRIES_MAX = 3;
/** Until what was taken and not settled comes again. */
const LEASE_MS = 10_000;

type Story = (ports: Ports, world: Stage) => Promise<void>;
type Stage = Awaited<ReturnType<typeof setUp>>;

async function setUp(lock: Lock) {
  const world = memoryWorld({ lock });
  const concert = world.stage({ policy: { activeMax: 1, holdSeconds: HOLD_SECONDS, sessionSeconds: 60 } });
  const date = concert.dates[0]?.date ?? concertDate('');
  const entry = await world.fan(concert, BALANCE);
  const next = await world.fan(concert);
  const request = (key: string) => ({ userId: entry.userId, key, fingerprint: key });
  const reserve = (ports: Ports) =>
    reserveSeats(ports, { entry, date, seatNumbers: SEAT_NUMBERS, request: request('reserve') });
  const reserveBest = (ports: Ports) =>
    reserveSeats(ports, { entry, date, wish: { quantity: SEAT_NUMBERS.length }, request: request('reserve') });
  return { ...world, concert, date, entry, next, request, reserve, reserveBest };
}

/** The client repeats its request until it has an answer. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
    }
  }
}

/** The job comes by until there is nothing left to tell, failed runs included. */
async function relayAll(ports: Ports, { clock }: Stage): Promise<void> {
  for (let runs = 0; runs < TRIES_MAX; runs++) {
    clock.advance(LEASE_MS);
    await relayOutbox(ports).catch(() => undefined);
  }
}

const reserving: Story = async (ports, stage) => {
  await insist(() => stage.reserve(ports));
  await relayAll(ports, stage);
};

const reservingBest: Story = async (ports, stage) => {
  await insist(() => stage.reserveBest(ports));
  await relayAll(ports, stage);
};

/** What was reserved before the story begins. */
async function reserved({ ports, entry }: Stage) {
  const { items } = await ports.boxOffice.listReservations(entry.userId, { limit: 1 });
  const reservationId = items[0]?.reservationId;
  if (reservationId === undefined) throw new RangeError('nothing is reserved');
  return reservationId;
}

const extending: Story = async (ports, stage) => {
  const { entry, request } = stage;
  const reservationId = await reserved(stage);
  await insist(() => extendHold(ports, { entry: entry, reservationId, request: request('extend') }));
  await relayAll(ports, stage);
};

const paying: Story = async (ports, stage) => {
  const { entry, request } = stage;
  const reservationId = await reserved(stage);
  await insist(() => pay(ports, { entry: entry, reservationId, request: request('pay') }));
  await relayAll(ports, stage);
};

const cancelling: Story = async (ports, stage) => {
  const reservationId = await reserved(stage);
  await insist(() => cancelReservation(ports, { reservationId, request: stage.request('cancel') }));
  await relayAll(ports, stage);
};

/** Pays and thinks better of it before anybody was told of the payment: what of both is told comes in any order. */
const payingAndCancelling: Story = async (ports, stage) => {
  const { entry, request } = stage;
  const reservationId = await reserved(stage);
  await insist(() => pay(ports, { entry: entry, reservationId, request: request('pay') }));
  await cancelling(ports, stage);
};

/** Everything that is written down anywhere about the fan and the seats. */
async function outcome({ ports, entry, next, date, concert }: Stage) {
  const { boxOffice, wallets, concerts, queue, holdKeys } = ports;
  const page = { limit: 100 };
  const { userId, concertId } = entry;
  const stranger = { userId: next.userId, concertId, date, reservationId: reservationId(ports.newId()) };
  const markedFor = async (seatNumber: number) =>
    holdKeys
      .acquire({ ...stranger, seatNumbers: [seatNumber] }, { userId: next.userId, key: 'a look', fingerprint: '' })
      .then(() => false)
      .catch(() => true);
  await queue.admit(concertId, concert.policy);
  const statusOf = async (of: QueueEntry) => (await queue.find(of)).status;
  const session = await queue.find(entry);
  const reservations = (await boxOffice.listReservations(userId, page)).items;
  return {
    balance: (await wallets.find(userId))?.balance,
    ledger: (await wallets.listEntries(userId, page)).items.map(({ amount }) => amount),
    reservations: reservations.map(({ seatNumbers, status, amount, heldForSeconds }) => ({
      ...{ seatNumbers, status, amount, heldForSeconds },
    })),
    payments: (await boxOffice.listPayments(userId, page)).items.map(({ amount, balance, refundedAt }) => ({
      ...{ amount, balance, refunded: refundedAt !== undefined },
    })),
    paidFor: (await boxOffice.listPayments(userId, page)).items.every(
      (payment) => payment.reservationId === reservations[0]?.reservationId,
    ),
    seats: (await concerts.listSeats(concertId, date))?.map(({ status }) => status).join(' '),
    marked: [await markedFor(1), await markedFor(2), await markedFor(3)],
    places: [await statusOf(entry), await statusOf(next)],
    inUntilTheHoldEnds:
      session.status === 'ACTIVE' && session.expiresAt >= (reservations[0]?.heldUntil ?? Number.POSITIVE_INFINITY),
  };
}

const FREE = 'AVAILABLE AVAILABLE AVAILABLE AVAILABLE AVAILABLE';
const HELD = {
  balance: BALANCE,
  ledger: [BALANCE],
  payments: [],
  paidFor: true,
  reservations: [{ seatNumbers: SEAT_NUMBERS, status: 'HELD', amount: PRICE, heldForSeconds: HOLD_SECONDS }],
  seats: 'HELD HELD AVAILABLE AVAILABLE AVAILABLE',
  marked: [true, true, false],
  places: ['ACTIVE', 'WAITING'],
  inUntilTheHoldEnds: true,
};
const PAID = {
  balance: BALANCE - PRICE,
  ledger: [-PRICE, BALANCE],
  paidFor: true,
  payments: [{ amount: PRICE, balance: BALANCE - PRICE, refunded: false }],
  reservations: [{ seatNumbers: SEAT_NUMBERS, status: 'CONFIRMED', amount: PRICE, heldForSeconds: HOLD_SECONDS }],
  seats: 'SOLD SOLD AVAILABLE AVAILABLE AVAILABLE',
  marked: [false, false, false],
  places: ['EXPIRED', 'ACTIVE'],
  inUntilTheHoldEnds: false,
};
const RESERVED = { seatNumbers: SEAT_NUMBERS, amount: PRICE };
const EXTENDED = {
  ...HELD,
  reservations: [{ ...RESERVED, status: 'HELD', heldForSeconds: LATER_SECONDS + HOLD_SECONDS }],
};
const RELEASED = {
  ...HELD,
  reservations: [{ ...RESERVED, status: 'CANCELLED', heldForSeconds: HOLD_SECONDS }],
  seats: FREE,
  marked: [false, false, false],
};
const REFUNDED = {
  ...RELEASED,
  ledger: [PRICE, -PRICE, BALANCE],
  payments: [{ amount: PRICE, balance: BALANCE - PRICE, refunded: true }],
  places: ['EXPIRED', 'ACTIVE'],
  inUntilTheHoldEnds: false,
};

const reserveFirst = async (stage: Stage): Promise<unknown> => stage.reserve(stage.ports);
async function reserveEarlier(stage: Stage): Promise<void> {
  await reserveFirst(stage);
  stage.clock.advance(LATER_SECONDS * 1_000);
}
async function payFirst(stage: Stage): Promise<void> {
  await reserveFirst(stage);
  const reservationId = await reserved(stage);
  await pay(stage.ports, { entry: stage.entry, reservationId, request: stage.request('pay') });
}

describe.each([
  ['with the lock', memoryLock],
  ['with a lock that locks nothing', () => noLock],
])('%s', (_, lock) => {
  describe.each([
    { name: 'reserving', story: reserving, prepare: async () => {}, expected: HELD },
    { name: 'reserving the best', story: reservingBest, prepare: async () => {}, expected: HELD },
    { name: 'extending', story: extending, prepare: reserveEarlier, expected: EXTENDED },
    { name: 'paying', story: paying, prepare: reserveFirst, expected: PAID },
    { name: 'cancelling what is held', story: cancelling, prepare: reserveFirst, expected: RELEASED },
    { name: 'cancelling what is paid', story: cancelling, prepare: payFirst, expected: REFUNDED },
    { name: 'paying and cancelling', story: payingAndCancelling, prepare: reserveFirst, expected: REFUNDED },
  ])('$name', ({ story, prepare, expected }) => {
    async function tell(faults: readonly Fault[]) {
      const stage = await setUp(lock());
      await prepare(stage);
      const failing = failingPorts(stage.ports, faults);
      await story(failing.ports, stage);
      return { calls: failing.calls, outcome: await outcome(stage) };
    }

    /** The calls that a story makes when nothing fails, and each fault of one of them. */
    const undisturbed = tell([]);
    const faultsOf = (calls: readonly string[], from = 1): Fault[] =>
      calls
        .slice(from - 1)
        .flatMap((_, index) => [true, false].map((takesEffect) => ({ nth: from + index, takesEffect })));

    it('comes out right when nothing fails', async () => {
      const { calls, outcome } = await undisturbed;
      expect(outcome).toEqual(expected);
      expect(calls.length).toBeGreaterThan(TRIES_MAX + 4);
    });

    it('comes out right whichever call fails, before or after it took effect', async () => {
      for (const fault of faultsOf((await undisturbed).calls)) {
        const { calls, outcome } = await tell([fault]);
        expect(outcome, `${JSON.stringify(fault)} of ${calls}`).toEqual(expected);
      }
    });

    it('comes out right whichever two calls fail', async () => {
      for (const first of faultsOf((await undisturbed).calls)) {
        const { calls: then } = await tell([first]);
        for (const second of faultsOf(then, first.nth + 1)) {
          const { calls, outcome } = await tell([first, second]);
          expect(outcome, `${JSON.stringify([first, second])} of ${calls}`).toEqual(expected);
        }
      }
    });
  });
});
