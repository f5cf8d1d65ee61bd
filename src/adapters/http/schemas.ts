import { z } from 'zod';
import type { Code } from '#domain/errors.ts';
import { PROBLEM_TYPE, problems, typeOf } from './problems.ts';

// The shapes of `/v1`. They validate what comes in, and the OpenAPI document, with its examples, is generated from them.

/** Keeps one command from locking a whole hall; a group buys in several. */
const SEATS_PER_REQUEST_MAX = 20;
const SEAT_NUMBER_MAX = 1_000_000;
const PAGE_LIMIT_MAX = 100;
const PAGE_LIMIT_DEFAULT = 20;

const example = {
  user: '01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f',
  concert: '01939c5e-0000-7000-8000-000000000001',
  reservation: '01939c61-52d4-7e08-b1a6-90c4f7e2d310',
  payment: '01939c62-8f17-7b35-a4c9-2e61d0b87f54',
  charge: '01939c60-14aa-7d92-8e73-5b0f9c3a6d21',
  request: '01939c63-0b52-7aa4-8d1c-6f2e9b7a4c30',
  date: '2027-05-01',
  time: '2026-11-20T09:30:00.000Z',
  later: '2026-11-20T09:35:00.000Z',
  token:
    'k1.AZOcXno7fEGfDj1bihwuTwGTnF4AAHAAgAAAAAAAAAEAAAAAA-kBk5xeekAAq83vEjRW.3u7xV0p8qT1mYc5sZr2kLwN9bHfGdJaKeMvXyQtUoIs',
};

const id = (value: string) => z.uuid().toLowerCase().meta({ example: value });
const instant = z.iso.datetime({ precision: 3 }).meta({ example: example.time });
const date = z.iso.date().describe('Calendar date of a concert').meta({ example: example.date });
const money = z.int().describe("In the currency's smallest unit");
const currency = z.string().length(3).describe('ISO 4217').meta({ example: 'KRW' });
const seatNumber = z.int().min(1).max(SEAT_NUMBER_MAX).meta({ example: 7 });

export const params = {
  concert: z.object({ concertId: id(example.concert) }),
  date: z.object({ concertId: id(example.concert), date }),
  user: z.object({ userId: id(example.user) }),
  reservation: z.object({ reservationId: id(example.reservation) }),
  payment: z.object({ paymentId: id(example.payment) }),
};

const boolean = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
export const query = {
  page: z.object({
    limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
    cursor: z.string().max(100).optional().describe('nextCursor of the page before'),
  }),
  dates: z.object({ all: boolean.describe('Also the dates without a free seat') }),
  seats: z.object({ available: boolean.describe('Only the seats that are free') }),
};

export const headers = {
  queueToken: z.object({
    'queue-token': z.string().describe('The token given on joining the line').meta({ example: example.token }),
  }),
  idempotencyKey: z.object({
    'idempotency-key': z
      .string()
      .describe('1 to 255 characters; the same for every repetition of a command')
      .meta({ example: 'order-7f3a' }),
  }),
};

export const body = {
  reservation: z.object({
    date,
    seatNumbers: z
      .array(seatNumber)
      .min(1)
      .max(SEATS_PER_REQUEST_MAX)
      .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a seat twice')
      .meta({ example: [7, 8], uniqueItems: true }),
  }),
  payment: z.object({ reservationId: id(example.reservation) }),
  charge: z.object({ amount: money.meta({ example: 150_000 }) }),
};

export const user = z
  .object({
    userId: id(example.user),
    accessToken: z.string().meta({ example: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzOWM1ZSJ9.c2lnbmF0dXJl' }),
    expiresAt: instant,
  })
  .meta({ id: 'User' });

const standingFields = {
  concertId: id(example.concert),
  userId: id(example.user),
  status: z.enum(['WAITING', 'ACTIVE', 'EXPIRED']),
  position: z.int().min(1).optional().describe('1 = next to be let in; while WAITING').meta({ example: 42 }),
  aheadCount: z.int().min(0).optional().describe('How many go first; while WAITING').meta({ example: 41 }),
  etaSeconds: z.int().min(0).optional().describe('Estimated wait; while WAITING').meta({ example: 130 }),
  pollAfterSeconds: z.int().min(1).describe('When to ask again, as in Retry-After').meta({ example: 13 }),
  sequence: z.int().min(1).describe('Drawn on joining; never changes, and smaller goes first').meta({ example: 1001 }),
  joinedAt: instant,
  expiresAt: instant.optional().describe('End of the session; while ACTIVE'),
};
export const standing = z.object(standingFields).meta({ id: 'Standing' });
export const joined = z
  .object({ ...standingFields, token: z.string().describe('Send it as Queue-Token').meta({ example: example.token }) })
  .meta({ id: 'Joined' });

export const concert = z
  .object({
    concertId: id(example.concert),
    title: z.string().meta({ example: 'The Frontrow Demo' }),
    venue: z.string().meta({ example: 'Small Hall' }),
    currency,
    salesOpenAt: instant,
    sales: z.enum(['UPCOMING', 'OPEN', 'CLOSED']).meta({ example: 'OPEN' }),
    holdSeconds: z.int().describe('How long a seat is held before it must be paid').meta({ example: 300 }),
    seatsPerUserMax: z.int().describe('Seats of one date that a user may hold and own').meta({ example: 4 }),
  })
  .meta({ id: 'Concert' });

export const dates = z
  .object({
    items: z.array(
      z.object({
        date,
        startsAt: instant,
        seatsTotal: z.int().meta({ example: 50 }),
        seatsAvailable: z.int().meta({ example: 12 }),
      }),
    ),
  })
  .meta({ id: 'Dates' });

export const seats = z
  .object({
    concertId: id(example.concert),
    date,
    revision: z
      .string()
      .describe('Changes whenever anything in the list does; also the ETag')
      .meta({ example: 'o2Yx0yq1m3nD4eR5sT6uVw' }),
    items: z.array(
      z.object({
        seatNumber,
        price: money.meta({ example: 50_000 }),
        currency,
        status: z.enum(['AVAILABLE', 'HELD', 'SOLD', 'BLOCKED']),
      }),
    ),
  })
  .meta({ id: 'Seats' });

export const reservation = z
  .object({
    reservationId: id(example.reservation),
    userId: id(example.user),
    concertId: id(example.concert),
    date,
    seatNumbers: z.array(seatNumber).meta({ example: [7, 8] }),
    status: z.enum(['HELD', 'CONFIRMED', 'EXPIRED', 'CANCELLED']),
    amount: money.meta({ example: 100_000 }),
    currency,
    heldUntil: instant.meta({ example: example.later }),
    heldForSeconds: z.int().meta({ example: 300 }),
    createdAt: instant,
  })
  .meta({ id: 'Reservation' });

export const payment = z
  .object({
    paymentId: id(example.payment),
    reservationId: id(example.reservation),
    userId: id(example.user),
    amount: money.meta({ example: 100_000 }),
    currency,
    balance: money.describe('Left right after this payment').meta({ example: 50_000 }),
    paidAt: instant,
  })
  .meta({ id: 'Payment' });

export const balance = z
  .object({ userId: id(example.user), balance: money.meta({ example: 150_000 }), currency })
  .meta({ id: 'Balance' });

export const charge = z
  .object({
    chargeId: id(example.charge),
    userId: id(example.user),
    amount: money.meta({ example: 150_000 }),
    balance: money.describe('Right after this charge').meta({ example: 150_000 }),
    currency,
    chargedAt: instant,
  })
  .meta({ id: 'Charge' });

const entry = z
  .object({
    entryId: z.string().meta({ example: '1204' }),
    kind: z.enum(['CHARGE', 'PURCHASE']),
    transactionId: id(example.charge).describe('The charge or the payment'),
    amount: money.describe('Positive in, negative out').meta({ example: 150_000 }),
    balance: money.describe('Right after this entry').meta({ example: 150_000 }),
    currency,
    recordedAt: instant,
  })
  .meta({ id: 'LedgerEntry' });

const nextCursor = z.string().optional().describe('Absent on the last page').meta({ example: 'MDE5MzljNjE' });
const pageOf = <T extends z.ZodType>(item: T, name: string) =>
  z.object({ items: z.array(item), nextCursor }).meta({ id: name });
export const concertPage = pageOf(concert, 'ConcertPage');
export const reservationPage = pageOf(reservation, 'ReservationPage');
export const paymentPage = pageOf(payment, 'PaymentPage');
export const entryPage = pageOf(entry, 'LedgerPage');

export const health = z
  .object({
    status: z.enum(['ready', 'not-ready']),
    checks: z.record(z.string(), z.enum(['up', 'down'])).meta({ example: { redis: 'up', postgres: 'up' } }),
  })
  .meta({ id: 'Health' });
export const alive = z.object({ status: z.literal('alive') }).meta({ id: 'Alive' });
export const nothing = z.undefined().describe('Done');
export const notModified = z.undefined().describe('What If-None-Match names is still right');

/** The codes are only documented, not enforced: a refusal that this list forgot must reach the client all the same. */
const problem = (codes: readonly Code[]) =>
  z.looseObject({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ enum: [...codes] }),
    detail: z.string(),
    instance: z.string().describe('The id of this request'),
  });

/** Any call may be refused so. */
const ALWAYS = [
  'validation-failed',
  'rate-limited',
  'busy',
  'unavailable',
  'internal',
] as const satisfies readonly Code[];

/** The responses of a call that may be refused with these codes, one per status. */
export function refusals(...codes: readonly Code[]) {
  const byStatus = Map.groupBy([...codes, ...ALWAYS], (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const schema = problem(group).meta({ example: exampleProblem(group[0] ?? 'internal') });
      const description = group.map((code) => `\`${code}\``).join(', ');
      return [status, { description, content: { [PROBLEM_TYPE]: { schema } } }];
    }),
  );
}

function exampleProblem(code: Code) {
  const { status, title, detail } = problems[code];
  return { type: typeOf(code), title, status, code, detail, instance: example.request };
}
