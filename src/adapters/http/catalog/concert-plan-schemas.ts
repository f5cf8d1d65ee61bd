import { z } from 'zod';
import {
  DATE_MIN,
  date,
  example,
  instant,
  named,
  seatNumbersUpTo,
  story,
  text,
} from '#adapters/http/openapi/schema-parts.ts';
import { seatsOfPlan } from '#domain/catalog/seat-plan.ts';
import { concert, demo } from './concert-schemas.ts';
import { change, decided, policy } from './policy-schemas.ts';
import { BLOCKED_MAX, number, price, SEATS_PER_DATE_MAX, seatPlan, stalls } from './seat-plan-schemas.ts';

// The shapes of putting a concert on sale.

const TITLE_LENGTH_MAX = 200;
const DATES_MAX = 100;
/** A range has one price; a hall has a handful. */
const RANGES_PER_DATE_MAX = 50;
/** One statement creates this many within its timeout. */
const SEATS_PER_CONCERT_MAX = 200_000;
/** The largest offset of a time zone: `startsAt` must be on the date somewhere on earth. */
const ZONES_MS = 14 * 3_600_000;
const DAY_MS = 86_400_000;
/** Fits the largest plan. */
export const PLAN_LIMIT_BYTES = 262_144;

const range = z
  .object({ first: number(1), last: number(50), price })
  .refine(({ first, last }) => first <= last, { path: ['last'], message: 'must not be less than first' });

type Range = z.infer<typeof range>;

const ranges = z
  .array(range)
  .min(1)
  .max(RANGES_PER_DATE_MAX)
  .refine((all) => seatsIn(all) <= SEATS_PER_DATE_MAX, `must have at most ${SEATS_PER_DATE_MAX} seats`)
  .refine((all) => {
    const sorted = all.toSorted((a, b) => a.first - b.first);
    return sorted.every(({ first }, index) => first > (sorted[index - 1]?.last ?? 0));
  }, 'must not name a seat twice');

const seatsIn = (all: readonly Range[]) => all.reduce((sum, { first, last }) => sum + last - first + 1, 0);

const day = z
  .object({
    date,
    startsAt: instant(story.startsAt),
    seats: ranges.optional().describe('Omitted: those of the seatPlan'),
  })
  .refine(
    ({ date, startsAt }) => {
      const since = Date.parse(startsAt) - Date.parse(date);
      return since >= -ZONES_MS && since < DAY_MS + ZONES_MS;
    },
    { path: ['startsAt'], message: 'must be on the date' },
  );

const title = (value: string) => example(text(TITLE_LENGTH_MAX), value);

const planned = {
  title: demo.title,
  venue: demo.venue,
  salesOpenAt: demo.salesOpenAt,
  dates: [
    {
      date: story.date,
      startsAt: story.startsAt,
      seats: [
        { first: 1, last: 20, price: 80_000 },
        { first: 21, last: 50, price: 50_000 },
      ],
    },
  ],
  policy: { activeMax: 200, admitPerWindow: 600, windowSeconds: 60 },
};

export const concertPlan = example(
  z
    .strictObject({
      title: title(planned.title),
      venue: title(planned.venue),
      salesOpenAt: instant(planned.salesOpenAt).refine((at) => at >= DATE_MIN, `must not be before ${DATE_MIN}`),
      dates: z
        .array(day)
        .min(1)
        .max(DATES_MAX)
        .refine((days) => new Set(days.map(({ date }) => date)).size === days.length, 'must not name a date twice')
        .describe('Each with seats of its own, or with those of the seatPlan'),
      seatPlan: seatPlan.optional(),
      policy: change.default({}).describe('Omitted and null fields have the defaults of the settings'),
    })
    .refine(({ dates, seatPlan }) => seatPlan !== undefined || dates.every(({ seats }) => seats !== undefined), {
      path: ['seatPlan'],
      message: 'must be there for dates without seats',
    })
    .refine(({ dates, seatPlan }) => seatPlan === undefined || dates.some(({ seats }) => seats === undefined), {
      path: ['seatPlan'],
      message: 'must belong to a date: every date has seats of its own',
    })
    .refine(
      ({ dates, seatPlan }) => {
        const planned = seatPlan === undefined ? 0 : seatsOfPlan(seatPlan);
        const together = dates.reduce((sum, { seats }) => sum + (seats === undefined ? planned : seatsIn(seats)), 0);
        return together <= SEATS_PER_CONCERT_MAX;
      },
      { path: ['dates'], message: `must have at most ${SEATS_PER_CONCERT_MAX} seats together` },
    )
    .refine(({ salesOpenAt, dates }) => dates.every(({ startsAt }) => startsAt > salesOpenAt), {
      path: ['salesOpenAt'],
      message: 'must be before every date',
    })
    .refine(({ policy: { opensAt }, dates }) => !opensAt || dates.some(({ startsAt }) => startsAt > opensAt), {
      path: ['policy', 'opensAt'],
      message: 'must be before the last date',
    }),
  planned,
  { ...planned, dates: [{ date: story.date, startsAt: story.startsAt }], seatPlan: stalls },
);

export const blocking = example(z.strictObject({ seatNumbers: seatNumbersUpTo(BLOCKED_MAX) }), { seatNumbers: [7, 8] });

export const managedConcert = named('ManagedConcert', concert.extend({ policy }), {
  ...demo,
  policy: { ...decided, ...planned.policy },
});
