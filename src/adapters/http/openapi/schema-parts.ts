import { z } from 'zod';

// The parts of all schemas, each with an example.

export const SEAT_NUMBER_MAX = 1_000_000;
const NAME_LENGTH_MAX = 50;

// The examples tell one story: a user joins, waits, is admitted, holds seats 7 and 8, charges and pays.
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
/** Rejects year 0, which Postgres does not have, and obvious mistakes. */
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
export const seatNumber = example(z.int().min(1).max(SEAT_NUMBER_MAX), 7);
/** Distinct seats of a date. */
export const seatNumbersUpTo = (max: number) =>
  z
    .array(seatNumber)
    .min(1)
    .max(max)
    .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a seat twice')
    .meta({ examples: [[7, 8]], uniqueItems: true });
/** Text that Postgres can store and compare: without NUL and lone surrogates. */
export const text = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must have no NUL and no lone surrogate');
/** The name of a section, a row or a price grade. */
export const name = text(NAME_LENGTH_MAX);
export const count = (value: number, description: string) => example(z.int().min(0).describe(description), value);

/** A schema with a name of its own in the document, and examples. */
export function named<T extends z.ZodType>(name: string, schema: T, ...examples: readonly z.output<T>[]): T {
  return schema.meta({ id: name, examples });
}
