import { z } from 'zod';
import { openings } from '#domain/catalog/policy.ts';
import {
  count,
  currency,
  date,
  example,
  id,
  instant,
  money,
  name,
  named,
  pageOf,
  seatNumber,
  seatNumbersUpTo,
  story,
} from './openapi/schema-parts.ts';
import { lottery } from './queue/queue-schemas.ts';

// The shapes of `/v1`. They validate what comes in, and the OpenAPI document, with its examples, is generated from them.

/** Keeps one command from locking a whole hall; a group buys in several. */
const SEATS_PER_REQUEST_MAX = 20;
const PAGE_LIMIT_MAX = 100;
const PAGE_LIMIT_DEFAULT = 20;
const CURSOR_LENGTH_MAX = 100;

const seatNumbers = seatNumbersUpTo(SEATS_PER_REQUEST_MAX);

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
