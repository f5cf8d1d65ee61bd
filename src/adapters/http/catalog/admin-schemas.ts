import { z } from 'zod';
import {
  count,
  DATE_MIN,
  date,
  example,
  id,
  instant,
  name,
  named,
  SEAT_NUMBER_MAX,
  seatNumbersUpTo,
  story,
  text,
} from '#adapters/http/openapi/schema-parts.ts';
import { concert, demo } from '#adapters/http/schemas.ts';
import { strandedSeatsPolicies } from '#domain/booking/best-seats.ts';
import { openings, type Policy, type PolicyChange, type PolicyNumber, policyBounds } from '#domain/catalog/policy.ts';
import { faultsOf, seatsOfPlan } from '#domain/catalog/seat-plan.ts';

// The shapes of `/v1/admin`.

const TITLE_LENGTH_MAX = 200;
const DATES_MAX = 100;
/** Areas of one price: a hall has a handful. */
const RANGES_PER_DATE_MAX = 50;
const SEATS_PER_DATE_MAX = 100_000;
/** What one statement makes within the time that a statement may take. */
const SEATS_PER_CONCERT_MAX = 200_000;
const GRADES_MAX = 50;
const SECTIONS_MAX = 100;
const ROWS_PER_SECTION_MAX = 500;
const RUNS_PER_ROW_MAX = 50;
const ROW_SEATS_MAX = 1_000;
/** Of one plan, or of one call. */
const BLOCKED_MAX = 1_000;
const PRICE_MAX = 1_000_000_000;
/** A calendar date is somewhere on earth the one of an instant, or it is a mistake. */
const ZONES_MS = 14 * 3_600_000;
const DAY_MS = 86_400_000;

/** Room for as many dates and ranges as there may be. */
export const PLAN_LIMIT_BYTES = 262_144;

const decisions: { readonly [K in PolicyNumber]: readonly [value: number, description: string] } = {
  activeMax: [100, 'People let in at once; 0: no such limit'],
  admitPerWindow: [0, 'People let in within any windowSeconds; 0: no such limit. One of the two limits has to be on'],
  windowSeconds: [60, 'The window of admitPerWindow, which slides'],
  waitingMax: [1_000_000, 'People in line; whoever comes after is told queue-full'],
  sessionSeconds: [600, 'How long a session lasts; a hold prolongs it to the end of the hold'],
  claimSeconds: [90, 'Who does not show up within this time after being let in gives the session back'],
  absentSeconds: [180, 'Who has not polled for this long is passed over when their turn comes'],
  graceSeconds: [300, 'Who was passed over keeps the place for this long, and on polling again is next'],
  holdSeconds: [300, 'How long a seat is held before it must be paid'],
  holdSecondsMax: [600, 'How long a hold may be made to last; at or below holdSeconds it cannot be extended'],
  refundUntilSeconds: [86_400, 'What is paid can be given back until so long before its date starts; -1: not at all'],
  seatsPerUserMax: [4, 'Seats of one date that a user may hold and own'],
};
const names = Object.keys(decisions) as PolicyNumber[];

function decision(name: PolicyNumber) {
  const [min, max] = policyBounds[name];
  const [value, description] = decisions[name];
  return example(z.int().min(min).max(max).describe(description), value);
}
const opening = example(
  z.enum(openings).describe('Who goes first of those who joined before opensAt: who came first, or as lots are drawn'),
  'fifo',
);
const opensAt = instant(story.opensAt)
  .refine((at) => at >= DATE_MIN, `must not be before ${DATE_MIN}`)
  .nullable()
  .describe('From when on people are let in; null: as soon as sales open. Who joins before then waits');
const strandedSeats = z
  .enum(strandedSeatsPolicies)
  .describe(
    'What becomes of a hold that leaves a single free seat beside it where another choice would not: off, nothing; warn, the answer says so; enforce, it is refused',
  );
const paused = z.boolean().describe('While true nobody is let in; who is in stays, and people may join');

const decided = {
  opening: 'fifo' as const,
  opensAt: null,
  ...(Object.fromEntries(names.map((name) => [name, decisions[name][0]])) as Pick<Policy, PolicyNumber>),
  strandedSeats: 'off' as const,
  paused: false,
};

export const policy = named(
  'Policy',
  z.object({
    opening,
    opensAt,
    ...(Object.fromEntries(names.map((name) => [name, decision(name)])) as { [K in PolicyNumber]: z.ZodInt }),
    strandedSeats,
    paused,
  }),
  decided,
);

const change = z.strictObject({
  opening: opening.nullable().optional().describe('As in the policy; it stays once sales have opened'),
  opensAt: opensAt.optional(),
  ...(Object.fromEntries(
    names.map((name) => [name, example(decision(name).nullable().optional(), decisions[name][0])]),
  ) as { [K in PolicyNumber]: z.ZodOptional<z.ZodNullable<z.ZodInt>> }),
  strandedSeats: strandedSeats.nullable().optional(),
  paused: paused.optional(),
});

/** What is to be changed, its times read. */
export function changeOf({ opensAt, ...rest }: z.output<typeof change>): PolicyChange {
  return { ...rest, opensAt: typeof opensAt === 'string' ? new Date(opensAt) : opensAt };
}

const number = (value: number) => example(z.int().min(1).max(SEAT_NUMBER_MAX), value);
const price = example(z.int().min(1).max(PRICE_MAX).describe("In the currency's smallest unit"), 50_000);
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
    seats: ranges.optional().describe('Left out: those of the seatPlan'),
  })
  .refine(
    ({ date, startsAt }) => {
      const since = Date.parse(startsAt) - Date.parse(date);
      return since >= -ZONES_MS && since < DAY_MS + ZONES_MS;
    },
    { path: ['startsAt'], message: 'must be on the date' },
  );

const stalls = {
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
    first: number(1).describe('Of neighbours from left to right; more than last where the numbers run downwards'),
    last: number(8),
    grade: example(name, 'R'),
    aisle: example(z.boolean().optional().describe('Whether an aisle parts them from the seats to their left'), true),
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
      .describe('1 is the best; those of the same rank are equally good, row by row. Left out: the place in the list'),
    1,
  ),
  rows: z.array(plannedRow).min(1).max(ROWS_PER_SECTION_MAX).describe('The front row first'),
});
const seatPlan = z
  .strictObject({
    version: example(z.int().min(1).max(1_000_000).describe("The operator's own count of its editions"), 1),
    grades: z
      .array(z.strictObject({ grade: example(name, 'R'), price }))
      .min(1)
      .max(GRADES_MAX),
    sections: z.array(plannedSection).min(1).max(SECTIONS_MAX).describe('The best first'),
    blocked: z.array(number(9)).max(BLOCKED_MAX).default([]).describe('Seats that are not for sale for now'),
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

export const adminBody = {
  plan: example(
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
          .describe('Each with its seats, or with those of the seatPlan'),
        seatPlan: seatPlan.optional(),
        policy: change.default({}).describe('What it leaves out, or is null, comes from the settings'),
      })
      .refine(({ dates, seatPlan }) => seatPlan !== undefined || dates.every(({ seats }) => seats !== undefined), {
        path: ['seatPlan'],
        message: 'must be there for dates without seats',
      })
      .refine(({ dates, seatPlan }) => seatPlan === undefined || dates.some(({ seats }) => seats === undefined), {
        path: ['seatPlan'],
        message: 'must be the one of a date: every date has seats of its own',
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
  ),
  blocking: example(z.strictObject({ seatNumbers: seatNumbersUpTo(BLOCKED_MAX) }), { seatNumbers: [7, 8] }),
  policyChange: example(
    change.refine((changed) => Object.keys(changed).length > 0, 'must name what is to be changed'),
    { activeMax: 0, admitPerWindow: 600, windowSeconds: 60, waitingMax: null },
  ),
};

export const managedConcert = named('ManagedConcert', concert.extend({ policy }), {
  ...demo,
  policy: { ...decided, ...planned.policy },
});

const figures = {
  waiting: 4_200,
  active: 100,
  absent: 37,
  registered: 0,
  drawn: 9_120,
  frontier: 4_893,
  turnover: 1.4,
  tailEtaSeconds: 3_000,
};
export const line = named(
  'Line',
  z.object({
    concertId: id(story.concert),
    paused,
    waiting: count(figures.waiting, 'People in line, those included who were passed over and are back'),
    active: count(figures.active, 'People who are in'),
    absent: count(figures.absent, 'People who were passed over and may still come back'),
    registered: count(figures.registered, 'People who wait for lots to be drawn'),
    drawn: count(figures.drawn, 'People who ever joined: the last number drawn'),
    frontier: count(
      figures.frontier,
      'The smallest number in line: whoever has a smaller one was let in or passed over',
    ),
    rebuildingSeconds: example(
      z
        .int()
        .min(1)
        .optional()
        .describe('Of a line that was lost: how much longer those who were in it are waited for'),
      40,
    ),
    turnover: example(z.number().min(0).describe('Sessions that end per second, smoothed over about a minute'), 1.4),
    tailEtaSeconds: example(
      z.int().min(0).optional().describe('Estimated wait of the last in line; absent while paused'),
      figures.tailEtaSeconds,
    ),
  }),
  { concertId: story.concert, paused: false, ...figures },
);
