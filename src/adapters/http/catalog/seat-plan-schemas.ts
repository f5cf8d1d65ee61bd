import { z } from 'zod';
import { example, name, named, SEAT_NUMBER_MAX } from '#adapters/http/openapi/schema-parts.ts';
import { faultsOf, seatsOfPlan } from '#domain/catalog/seat-plan.ts';

// The shapes of a seat plan.

export const SEATS_PER_DATE_MAX = 100_000;
const GRADES_MAX = 50;
const SECTIONS_MAX = 100;
const ROWS_PER_SECTION_MAX = 500;
const RUNS_PER_ROW_MAX = 50;
const ROW_SEATS_MAX = 1_000;
/** Per plan, and per call. */
export const BLOCKED_MAX = 1_000;
const PRICE_MAX = 1_000_000_000;

export const number = (value: number) => example(z.int().min(1).max(SEAT_NUMBER_MAX), value);

export const price = example(z.int().min(1).max(PRICE_MAX).describe("In the currency's smallest unit"), 50_000);

export const stalls = {
  version: 1,
  grades: [
    { grade: 'R', price: 80_000 },
    { grade: 'S', price: 50_000 },
  ],
  sections: [
    {
      section: 'Stalls',
      rows: [
        {
          row: 'A',
          seats: [
            { first: 1, last: 8, grade: 'R' },
            { first: 9, last: 16, grade: 'R', aisle: true },
          ],
        },
        { row: 'B', seats: [{ first: 32, last: 17, grade: 'S' }] },
      ],
    },
  ],
  blocked: [9],
};

const plannedSeats = z
  .strictObject({
    first: number(1).describe('From left to right; greater than last where the numbers run downwards'),
    last: number(8),
    grade: example(name, 'R'),
    aisle: example(
      z.boolean().optional().describe('Whether an aisle separates them from the seats to their left'),
      true,
    ),
  })
  .refine(({ first, last }) => Math.abs(last - first) < ROW_SEATS_MAX, {
    path: ['last'],
    message: `must make at most ${ROW_SEATS_MAX} seats with first`,
  });

const plannedRow = z.strictObject({
  row: example(name, 'A'),
  seats: z.array(plannedSeats).min(1).max(RUNS_PER_ROW_MAX).describe('From left to right'),
});

const plannedSection = z.strictObject({
  section: example(name, 'Stalls'),
  rank: example(
    z
      .int()
      .min(1)
      .max(SECTIONS_MAX)
      .optional()
      .describe('1 is the best; sections of the same rank are equal, row by row. Omitted: the position in the list'),
    1,
  ),
  rows: z.array(plannedRow).min(1).max(ROWS_PER_SECTION_MAX).describe('The front row first'),
});

export const seatPlan = z
  .strictObject({
    version: example(z.int().min(1).max(1_000_000).describe("The operator's version number"), 1),
    grades: z
      .array(z.strictObject({ grade: example(name, 'R'), price }))
      .min(1)
      .max(GRADES_MAX),
    sections: z.array(plannedSection).min(1).max(SECTIONS_MAX).describe('The best first'),
    blocked: z.array(number(9)).max(BLOCKED_MAX).default([]).describe('Seats that are not on sale for now'),
  })
  .check((context) => {
    const plan = context.value;
    const tooMany = seatsOfPlan(plan) > SEATS_PER_DATE_MAX;
    const message = `must have at most ${SEATS_PER_DATE_MAX} seats`;
    const faults = tooMany ? [{ path: ['sections'], message }] : faultsOf(plan);
    for (const fault of faults) {
      context.issues.push({ code: 'custom', input: plan, message: fault.message, path: [...fault.path] });
    }
  });

export const keptPlan = named(
  'SeatPlan',
  z.object({
    version: example(z.int(), stalls.version),
    sha256: example(
      z.string().length(64).describe('Of the plan as it is kept, in hexadecimal'),
      'd1f0c7a6b5e49382716054f3e2d1c0b9a8978685746352413029181706f5e4d3',
    ),
    plan: z.object({
      version: z.int(),
      grades: z.array(z.object({ grade: name, price })),
      sections: z.array(plannedSection),
      blocked: z.array(number(9)),
    }),
  }),
  {
    version: stalls.version,
    sha256: 'd1f0c7a6b5e49382716054f3e2d1c0b9a8978685746352413029181706f5e4d3',
    plan: stalls,
  },
);
