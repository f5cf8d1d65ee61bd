import { z } from 'zod';
import { lineStates } from '#domain/line-state.ts';
import { openings } from '#domain/policy.ts';

// The shapes of `/v1`. They validate what comes in, and the OpenAPI document, with its examples, is generated from them.

/** Keeps one command from locking a whole hall; a group buys in several. */
const SEATS_PER_REQUEST_MAX = 20;
export const SEAT_NUMBER_MAX = 1_000_000;
const NAME_LENGTH_MAX = 50;
const PAGE_LIMIT_MAX = 100;
const PAGE_LIMIT_DEFAULT = 20;
const CURSOR_LENGTH_MAX = 100;

// One story: a user joins, waits, is let in, holds seats 7 and 8, charges and pays.
export const story = {
  user: '01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f',
  concert: '01939c5e-0000-7000-8000-000000000001',
  reservation: '01939c61-52d4-7e08-b1a6-90c4f7e2d310',
  payment: '01939c62-8f17-7b35-a4c9-2e61d0b87f54',
  charge: '01939c60-14aa-7d92-8e73-5b0f9c3a6d21',
  date: '2027-05-01',
  startsAt: '2027-05-01T10:00:00.000Z',
  salesOpenAt: '2026-11-20T09:00:00.000Z',
  opensAt: '2026-11-20T09:00:00.000Z',
  joinedAt: '2026-11-20T09:30:00.000Z',
  sessionEndsAt: '2026-11-20T09:42:10.000Z',
  heldAt: '2026-11-20T09:33:00.000Z',
  heldUntil: '2026-11-20T09:38:00.000Z',
  chargedAt: '2026-11-20T09:34:10.000Z',
  paidAt: '2026-11-20T09:34:45.000Z',
  refund: '01939c6a-2b60-7f14-8a5d-7c93e1f0b286',
  refundedAt: '2026-11-20T09:43:10.000Z',
  token:
    'k1.AZOcXno7fEGfDj1bihwuTwGTnF4AAHAAgAAAAAAAAAEAAAAAA-kBk5xeekAAq83vEjRW.3u7xV0p8qT1mYc5sZr2kLwN9bHfGdJaKeMvXyQtUoIs',
} as const;

export const example = <T extends z.ZodType>(schema: T, ...values: readonly z.output<T>[]) =>
  schema.meta({ examples: values });

export const id = (value: string) => example(z.uuid().toLowerCase(), value);
export const instant = (value: string) => example(z.iso.datetime({ precision: 3 }), value);
/** Postgres knows no year 0, and nobody sells tickets for a past century. */
export const DATE_MIN = '1900-01-01';
export const date = example(
  z.iso
    .date()
    .refine((day) => day >= DATE_MIN, `must not be before ${DATE_MIN}`)
    .describe('Calendar date of a concert'),
  story.date,
);
export const money = (value: number, description = "In the currency's smallest unit") =>
  example(z.int().min(0).describe(description), value);
export const currency = example(z.string().length(3).describe('ISO 4217'), 'KRW');
const seatNumber = example(z.int().min(1).max(SEAT_NUMBER_MAX), 7);
/** Some seats of a date, each named once. */
export const seatNumbersUpTo = (max: number) =>
  z
    .array(seatNumber)
    .min(1)
    .max(max)
    .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a seat twice')
    .meta({ examples: [[7, 8]], uniqueItems: true });
const seatNumbers = seatNumbersUpTo(SEATS_PER_REQUEST_MAX);
/** Of a section, a row or a price grade. */
/** Text that Postgres can keep and find: it has neither NUL nor half a character. */
export const text = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must have no NUL and no lone surrogate');
export const name = text(NAME_LENGTH_MAX);
export const count = (value: number, description: string) => example(z.int().min(0).describe(description), value);

export const params = {
  concert: z.object({ concertId: id(story.concert) }),
  date: z.object({ concertId: id(story.concert), date }),
  user: z.object({ userId: id(story.user) }),
  reservation: z.object({ reservationId: id(story.reservation) }),
  payment: z.object({ paymentId: id(story.payment) }),
};

const flag = (description: string) =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe(description);

export const query = {
  page: z.object({
    limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT).describe('Items per page'),
    cursor: example(
      z.string().max(CURSOR_LENGTH_MAX).optional().describe('nextCursor of the page before'),
      'MDE5MzljNjE',
    ),
  }),
  dates: z.object({ all: flag('Also the dates without a free seat') }),
  seats: z.object({ available: flag('Only the seats that are free') }),
};

export const headers = {
  idempotencyKey: z.object({
    'idempotency-key': example(
      z.string().describe('1 to 255 characters, bare or in quotes; the same for every repetition of a command'),
      'order-7f3a',
    ),
  }),
  lastEventId: z.object({
    'last-event-id': example(
      z.string().describe('The id of the last event seen: sent by an EventSource that comes back').optional(),
      '1001:42:k3Jd0-sWq9Z',
    ),
  }),
  ifNoneMatch: z.object({
    'if-none-match': example(
      z.string().describe('ETags that the client already has, or *').optional(),
      '"o2Yx0yq1m3nD4eR5sT6uVw"',
    ),
  }),
};

export const body = {
  reservation: example(
    z
      .object({
        date,
        seatNumbers: seatNumbers.optional().describe('These seats'),
        quantity: example(
          z.int().min(1).max(SEATS_PER_REQUEST_MAX).optional().describe('Instead of seatNumbers: so many, the best'),
          2,
        ),
        adjacent: z.literal(true).optional().describe('With quantity: side by side'),
        section: example(name.optional().describe('With quantity: in this section'), 'Stalls'),
        grade: example(name.optional().describe('With quantity: at this price grade'), 'R'),
      })
      .refine(({ seatNumbers, quantity }) => (seatNumbers === undefined) !== (quantity === undefined), {
        path: ['seatNumbers'],
        message: 'must be there, or quantity instead of it',
      })
      .refine(({ quantity, adjacent }) => quantity === undefined || adjacent, {
        path: ['adjacent'],
        message: 'must be true with quantity',
      })
      .refine(({ quantity, ...rest }) => quantity !== undefined || !(rest.adjacent || rest.section || rest.grade), {
        path: ['quantity'],
        message: 'must be there with adjacent, section or grade',
      }),
    { date: story.date, seatNumbers: [7, 8] },
    { date: story.date, quantity: 2, adjacent: true, section: 'Stalls' },
  ),
  payment: example(z.object({ reservationId: id(story.reservation) }), { reservationId: story.reservation }),
  charge: example(
    z.object({ amount: example(z.int().describe("In the currency's smallest unit; more than 0"), 150_000) }),
    { amount: 150_000 },
  ),
};

/** A shape with a name of its own in the document, and what it may look like. */
export function named<T extends z.ZodType>(name: string, schema: T, ...examples: readonly z.output<T>[]): T {
  return schema.meta({ id: name, examples });
}

export const user = named(
  'User',
  z.object({
    userId: id(story.user),
    accessToken: z.string().describe('Send it as Authorization: Bearer'),
    expiresAt: instant('2026-11-21T09:29:58.000Z'),
  }),
  {
    userId: story.user,
    accessToken: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzOWM1ZS03YTNiLTdjNDEtOWYwZS0zZDViOGExYzJlNGYifQ.c2lnbmF0dXJl',
    expiresAt: '2026-11-21T09:29:58.000Z',
  },
);

const standingFields = {
  concertId: id(story.concert),
  userId: id(story.user),
  status: z
    .enum(['WAITING', 'ACTIVE', 'EXPIRED'])
    .describe('WAITING in line; ACTIVE: let in; EXPIRED: the session ended, was paid or was given up'),
  position: example(
    z.int().min(1).optional().describe('1 = next to be let in; while WAITING, and once lots are drawn where they are'),
    42,
  ),
  aheadCount: example(z.int().min(0).optional().describe('How many go first; while WAITING'), 41),
  etaSeconds: example(
    z.int().min(0).optional().describe('Estimated wait: as likely less as more; while WAITING, if known'),
    130,
  ),
  etaP90Seconds: example(z.int().min(0).optional().describe('Nine of ten wait no longer; with etaSeconds'), 151),
  opensAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('When people are let in from; until then'),
    story.opensAt,
  ),
  soldOut: example(z.boolean().optional().describe('No seat can be had now; nobody is let in until one can'), true),
  seatsHeld: example(z.int().min(0).optional().describe('Seats that may come back; with soldOut'), 2),
  pollAfterSeconds: example(z.int().min(1).describe('When to ask again, as in Retry-After'), 13),
  sequence: example(z.int().min(1).describe('Drawn on joining; never changes, and smaller goes first'), 1001),
  joinedAt: instant(story.joinedAt),
  expiresAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('End of the session; while ACTIVE'),
    story.sessionEndsAt,
  ),
};

const place = { concertId: story.concert, userId: story.user, sequence: 1001, joinedAt: story.joinedAt };
const waiting = {
  ...place,
  status: 'WAITING' as const,
  position: 42,
  aheadCount: 41,
  etaSeconds: 130,
  etaP90Seconds: 151,
  pollAfterSeconds: 13,
};
const active = { ...place, status: 'ACTIVE' as const, expiresAt: story.sessionEndsAt, pollAfterSeconds: 30 };
const expired = { ...place, status: 'EXPIRED' as const, pollAfterSeconds: 30 };

export const standing = named('Standing', z.object(standingFields), waiting, active, expired);
export const joined = named(
  'Joined',
  z.object({ ...standingFields, token: example(z.string().describe('Send it as Queue-Token'), story.token) }),
  { ...waiting, token: story.token },
  { ...active, token: story.token },
);

const events = [
  `retry: 13000\nid: 1001:42:k3Jd0-sWq9Z\ndata: ${JSON.stringify(waiting)}\n\n`,
  ': here\n\n',
  `retry: 30000\nid: 1001::7hXw2Lq_0aE\ndata: ${JSON.stringify(active)}\n\n`,
].join('');
export const standingEvents = named(
  'StandingEvents',
  z.string().describe('Server-sent events: the data of each is a Standing, its id names it'),
  events,
);

export const demo = {
  concertId: story.concert,
  title: 'The Frontrow Demo',
  venue: 'Small Hall',
  currency: 'KRW',
  salesOpenAt: story.salesOpenAt,
  sales: 'OPEN' as const,
  opensAt: story.opensAt,
  opened: true,
  opening: 'fifo' as const,
  holdSeconds: 300,
  holdSecondsMax: 600,
  refundUntilSeconds: 86_400,
  seatsPerUserMax: 4,
};
const lots = {
  seedSha256: 'f584d26bcf92beda049559a38a4ff3dafe06facf831f7dbe07351bcec5c1964b',
  seed: '3a'.repeat(32),
  count: 8_421,
  drawnAt: story.opensAt,
};
const lottery = named(
  'Lottery',
  z.object({
    seedSha256: example(z.string().length(64).describe('SHA-256 of the seed, in hexadecimal'), lots.seedSha256),
    seed: example(z.string().length(64).optional().describe('In hexadecimal; once the lots are drawn'), lots.seed),
    count: example(z.int().min(0).optional().describe('How many lots were drawn; once they are'), lots.count),
    drawnAt: instant(lots.drawnAt).optional().describe('Once the lots are drawn'),
  }),
  { seedSha256: lots.seedSha256 },
  lots,
);
export const concert = named(
  'Concert',
  z.object({
    concertId: id(demo.concertId),
    title: example(z.string(), demo.title),
    venue: example(z.string(), demo.venue),
    currency,
    salesOpenAt: instant(demo.salesOpenAt),
    sales: z
      .enum(['UPCOMING', 'OPEN', 'CLOSED'])
      .describe('UPCOMING before salesOpenAt, CLOSED once the last date has begun'),
    opensAt: instant(demo.opensAt).describe('From when on people are let in; who joins before then waits'),
    opened: z.boolean().describe('Whether people are let in by now'),
    opening: z
      .enum(openings)
      .describe('Who goes first of those who joined before opensAt: who came first, or as lots are drawn'),
    lottery: lottery.optional().describe('Where lots are drawn'),
    holdSeconds: count(demo.holdSeconds, 'How long a seat is held before it must be paid'),
    holdSecondsMax: count(
      demo.holdSecondsMax,
      'How long a hold may be made to last; at or below holdSeconds it cannot be extended',
    ),
    refundUntilSeconds: example(
      z.int().min(-1).describe('What is paid can be given back until so long before its date starts; -1: not at all'),
      demo.refundUntilSeconds,
    ),
    seatsPerUserMax: count(demo.seatsPerUserMax, 'Seats of one date that a user may hold and own'),
  }),
  demo,
);

const moving = {
  concertId: story.concert,
  state: 'OPEN' as const,
  opensAt: story.opensAt,
  opening: 'fifo' as const,
  waiting: 4_200,
  registered: 0,
  active: 100,
  frontier: 4_893,
  drawn: 9_120,
  ratePerSecond: 1.4,
  etaSeconds: 3_000,
  etaP90Seconds: 3_312,
  seatsAvailable: 12,
  seatsHeld: 30,
  soldOut: false,
};
const { etaSeconds: _, etaP90Seconds: __, ...still } = moving;
export const publicLine = named(
  'PublicLine',
  z.object({
    concertId: id(moving.concertId),
    state: z
      .enum(lineStates)
      .describe(
        'OPEN: people are let in. UPCOMING: sales have not opened. REGISTERING: people may join, nobody is let in yet. ' +
          'PAUSED by the operator. SOLD_OUT: no seat can be had now. REBUILDING after the line was lost. CLOSED: sales are over',
      ),
    opensAt: instant(moving.opensAt).describe('From when on people are let in'),
    opening: z.enum(openings).describe('Who goes first of those who joined before opensAt'),
    waiting: count(moving.waiting, 'People in line, those included who were passed over and are back'),
    registered: count(0, 'People who wait for lots to be drawn'),
    active: count(moving.active, 'People who are in'),
    frontier: example(
      z.int().min(1).describe('The smallest number in line. Without lots: position ≤ sequence − frontier + 1'),
      moving.frontier,
    ),
    drawn: count(moving.drawn, 'People who ever joined: the last number drawn'),
    ratePerSecond: example(z.number().min(0).describe('Sessions that end per second, smoothed over a minute'), 1.4),
    etaSeconds: example(
      z.int().min(0).optional().describe('Estimated wait of the last in line; while OPEN, if known'),
      moving.etaSeconds,
    ),
    etaP90Seconds: example(z.int().min(0).optional().describe('Nine of ten wait no longer; with etaSeconds'), 3_312),
    seatsAvailable: count(moving.seatsAvailable, 'Seats that are free, of all dates to come'),
    seatsHeld: count(moving.seatsHeld, 'Seats that are held and not paid for, and may come back'),
    soldOut: z.boolean().describe('No seat can be had now'),
    rebuildingSeconds: example(
      z.int().min(1).optional().describe('How much longer those who were in the line are waited for; while REBUILDING'),
      40,
    ),
    lottery: lottery.optional().describe('Where lots are drawn'),
  }),
  moving,
  { ...still, state: 'SOLD_OUT', seatsAvailable: 0, soldOut: true },
  {
    ...still,
    state: 'REGISTERING',
    opening: 'lottery',
    waiting: 0,
    registered: 8_421,
    active: 0,
    frontier: 1,
    drawn: 8_421,
    ratePerSecond: 0,
    lottery: { seedSha256: lots.seedSha256 },
  },
);

export const dates = named(
  'Dates',
  z.object({
    items: z.array(
      z.object({
        date,
        startsAt: instant(story.startsAt),
        seatsTotal: count(50, 'Seats of the hall'),
        seatsAvailable: count(12, 'Seats that are free right now'),
      }),
    ),
  }),
  {
    items: [
      { date: story.date, startsAt: story.startsAt, seatsTotal: 50, seatsAvailable: 12 },
      { date: '2027-05-02', startsAt: '2027-05-02T10:00:00.000Z', seatsTotal: 50, seatsAvailable: 50 },
    ],
  },
);

const seat = { price: 50_000, currency: 'KRW' };
export const seats = named(
  'Seats',
  z.object({
    concertId: id(story.concert),
    date,
    revision: example(
      z.string().describe('Changes whenever anything in the list does; also the ETag'),
      'o2Yx0yq1m3nD4eR5sT6uVw',
    ),
    items: z.array(
      z.object({
        seatNumber,
        price: money(50_000),
        currency,
        status: z.enum(['AVAILABLE', 'HELD', 'SOLD', 'BLOCKED']),
        section: example(name.optional().describe('By the plan of the hall, as row, place and grade are'), 'Stalls'),
        row: example(name.optional(), 'A'),
        place: example(z.int().min(1).optional().describe('In the row, from the left; an aisle takes one place'), 7),
        grade: example(name.optional().describe('Of the price'), 'R'),
      }),
    ),
  }),
  {
    concertId: story.concert,
    date: story.date,
    revision: 'o2Yx0yq1m3nD4eR5sT6uVw',
    items: [
      { seatNumber: 1, ...seat, status: 'SOLD' },
      { seatNumber: 2, ...seat, status: 'HELD' },
      { seatNumber: 3, ...seat, status: 'BLOCKED' },
      { seatNumber: 7, ...seat, status: 'AVAILABLE' },
      { seatNumber: 8, ...seat, status: 'AVAILABLE', section: 'Stalls', row: 'A', place: 8, grade: 'R' },
    ],
  },
);

const held = {
  reservationId: story.reservation,
  userId: story.user,
  concertId: story.concert,
  date: story.date,
  seatNumbers: [7, 8],
  status: 'HELD' as const,
  amount: 100_000,
  currency: 'KRW',
  heldUntil: story.heldUntil,
  heldForSeconds: 300,
  createdAt: story.heldAt,
};
export const reservation = named(
  'Reservation',
  z.object({
    reservationId: id(held.reservationId),
    userId: id(held.userId),
    concertId: id(held.concertId),
    date,
    seatNumbers: example(z.array(seatNumber).describe('Ascending'), held.seatNumbers),
    status: z
      .enum(['HELD', 'CONFIRMED', 'EXPIRED', 'CANCELLED'])
      .describe('HELD until heldUntil; then CONFIRMED (paid), EXPIRED (not paid in time) or CANCELLED (given back)'),
    amount: money(held.amount, "The seats' prices added up, in the currency's smallest unit"),
    currency,
    heldUntil: instant(held.heldUntil),
    heldForSeconds: count(held.heldForSeconds, 'How long the hold was granted for, its extensions included'),
    createdAt: instant(held.createdAt),
    strandedSeatNumbers: example(
      z
        .array(seatNumber)
        .optional()
        .describe('Free seats that this hold left single; when it is made, where policy warns of it'),
      [9],
    ),
  }),
  held,
  { ...held, status: 'CONFIRMED' },
);

const paid = {
  paymentId: story.payment,
  reservationId: story.reservation,
  userId: story.user,
  amount: 100_000,
  currency: 'KRW',
  balance: 50_000,
  paidAt: story.paidAt,
};
export const payment = named(
  'Payment',
  z.object({
    paymentId: id(paid.paymentId),
    reservationId: id(paid.reservationId),
    userId: id(paid.userId),
    amount: money(paid.amount),
    currency,
    balance: money(paid.balance, 'Left right after this payment'),
    paidAt: instant(paid.paidAt),
    refundedAt: instant(story.refundedAt).optional().describe('Once it was given back'),
  }),
  paid,
);

const refunded = {
  refundId: story.refund,
  paymentId: story.payment,
  amount: 100_000,
  currency: 'KRW',
  balance: 150_000,
  refundedAt: story.refundedAt,
};
const refund = named(
  'Refund',
  z.object({
    refundId: id(refunded.refundId),
    paymentId: id(refunded.paymentId),
    amount: money(refunded.amount),
    currency,
    balance: money(refunded.balance, 'Right after this refund'),
    refundedAt: instant(refunded.refundedAt),
  }),
  refunded,
);
export const cancellation = named(
  'Cancellation',
  z.object({ reservation, refund: refund.optional().describe('If the reservation was paid') }),
  { reservation: { ...held, status: 'CANCELLED' }, refund: refunded },
);

export const balance = named('Balance', z.object({ userId: id(story.user), balance: money(150_000), currency }), {
  userId: story.user,
  balance: 150_000,
  currency: 'KRW',
});

const charged = {
  chargeId: story.charge,
  userId: story.user,
  amount: 150_000,
  balance: 150_000,
  currency: 'KRW',
  chargedAt: story.chargedAt,
};
export const charge = named(
  'Charge',
  z.object({
    chargeId: id(charged.chargeId),
    userId: id(charged.userId),
    amount: money(charged.amount),
    balance: money(charged.balance, 'Right after this charge'),
    currency,
    chargedAt: instant(charged.chargedAt),
  }),
  charged,
);

const purchased = {
  entryId: '1205',
  kind: 'PURCHASE' as const,
  transactionId: story.payment,
  amount: -100_000,
  balance: 50_000,
  currency: 'KRW',
  recordedAt: story.paidAt,
};
const toppedUp = {
  entryId: '1204',
  kind: 'CHARGE' as const,
  transactionId: story.charge,
  amount: 150_000,
  balance: 150_000,
  currency: 'KRW',
  recordedAt: story.chargedAt,
};
const entry = named(
  'LedgerEntry',
  z.object({
    entryId: example(z.string(), purchased.entryId),
    kind: z.enum(['CHARGE', 'PURCHASE', 'REFUND']),
    transactionId: id(purchased.transactionId).describe('The charge, the payment or the refund'),
    amount: example(z.int().describe('Positive in, negative out'), purchased.amount),
    balance: money(purchased.balance, 'Right after this entry'),
    currency,
    recordedAt: instant(purchased.recordedAt),
  }),
  purchased,
);

export function pageOf<T extends z.ZodType>(name: string, item: T, ...items: z.output<T>[]) {
  const nextCursor = example(z.string().optional().describe('Absent on the last page'), 'MDE5MzljNjE');
  return named(name, z.object({ items: z.array(item), nextCursor }), { items } as never);
}
export const concertPage = pageOf('ConcertPage', concert, demo);
export const reservationPage = pageOf('ReservationPage', reservation, { ...held, status: 'CONFIRMED' });
export const paymentPage = pageOf('PaymentPage', payment, paid);
export const entryPage = pageOf('LedgerPage', entry, purchased, toppedUp);

const probe = z.enum(['up', 'down']);
export const health = named(
  'Health',
  z.object({
    status: z.enum(['ready', 'degraded', 'not-ready']).describe('degraded: what can be done without Redis is done'),
    checks: z.record(z.string(), probe),
  }),
  { status: 'ready', checks: { redis: 'up', postgres: 'up' } },
  { status: 'degraded', checks: { redis: 'down', postgres: 'up' } },
  { status: 'not-ready', checks: { redis: 'up', postgres: 'down' } },
);
export const alive = named('Alive', z.object({ status: z.literal('alive') }), { status: 'alive' });
