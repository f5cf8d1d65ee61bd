import fc from 'fast-check';
import { type BookingEvent, HALL, happens, type Model, openedModel } from './booking-model.ts';
import { endOf, openLiveBooking } from './live-booking.ts';
import type { StoreHarness } from './store-harness.ts';

// Random histories of a small hall: whatever is asked in whatever order, a box office answers as the model does.

const who = fc.nat(HALL.users - 1);
const key = fc.option(fc.nat(1), { nil: undefined, freq: 2 });
/** One of them is not there. */
const seats = fc
  .uniqueArray(fc.integer({ min: 1, max: HALL.seats + 1 }), { minLength: 1, maxLength: 3 })
  .map((numbers) => numbers.sort((a, b) => a - b));
const oneSeat = seats.map((numbers) => numbers.slice(-1));
const amount = fc.constantFrom(1_000, 2_000, 5_000, 10_000);

/** As a rule one's own reservation, and now and then somebody else's. */
const asked = fc
  .record({ who, key, before: fc.constantFrom(0, 0, 0, 1, 2), stranger: fc.nat(9) })
  .map(({ who, key, before, stranger }) => ({
    ...{ who, key },
    of: { owner: stranger === 0 ? (who + 1) % HALL.users : who, before },
  }));

const commands: fc.Arbitrary<BookingEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('hold'), who, seats, key }) },
  { weight: 5, arbitrary: asked.map((one) => ({ kind: 'pay' as const, ...one })) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('charge'), who, amount, key }) },
  { weight: 4, arbitrary: asked.map((one) => ({ kind: 'extend' as const, ...one })) },
  { weight: 2, arbitrary: asked.map((one) => ({ kind: 'cancel' as const, ...one })) },
  { weight: 1, arbitrary: asked.map(({ who, of }) => ({ kind: 'release' as const, who, of })) },
);
const events: fc.Arbitrary<BookingEvent> = fc.oneof(
  { weight: 16, arbitrary: commands },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass'), steps: fc.constantFrom(1, 1, 1, 2, 3, 4, 8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('block'), seats: oneSeat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unblock'), seats: oneSeat }) },
);

/** Now and then what was asked lately is asked again, under its key if it has one. */
const historiesOf = (eventsMax: number): fc.Arbitrary<readonly BookingEvent[]> =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: events }, { weight: 1, arbitrary: fc.nat(3) }), {
      ...{ maxLength: eventsMax, size: 'max' },
    })
    .map((made) => {
      const history: BookingEvent[] = [];
      for (const next of made) {
        const event = typeof next === 'number' ? history.filter((one) => 'who' in one).at(-1 - next) : next;
        if (event !== undefined) history.push(event);
      }
      return history;
    });

const EVENTS_MAX = 60;
const own = { who: 0, of: { owner: 0, before: 0 } };

/** Histories that were once answered otherwise, each tried whatever else is: as fast-check takes examples. */
export const KNOWN_HISTORIES: [readonly BookingEvent[]][] = [
  // A refund takes the balance beyond what it may be charged to: no more may be charged, not less than nothing.
  [
    [
      { kind: 'hold', who: 0, seats: [1] },
      { kind: 'pay', ...own },
      ...[5_000, 2_000, 2_000].map((amount) => ({ kind: 'charge' as const, who: 0, amount })),
      { kind: 'cancel', ...own },
      { kind: 'charge', who: 0, amount: 1_000 },
    ],
  ],
];

/** Made up once and for all. Where what they are made of changes, it may take another seed to come by everything worth seeing. */
const MADE_UP = fc.sample(historiesOf(EVENTS_MAX), { seed: 255, numRuns: 25 });

export type Compared = {
  readonly live: unknown;
  readonly model: unknown;
  /** What came of what: `pay hold-expired`, `hold done`, `charge again`. */
  readonly seen: readonly string[];
};

/** What was answered to each event, and what there was in the end, live and by the model. */
async function compare(harness: StoreHarness, history: readonly BookingEvent[]): Promise<Compared> {
  const booking = await openLiveBooking(harness);
  const live: object[] = [];
  for (const event of history) live.push(await booking.happens(event));
  live.push(await booking.end());
  const model = openedModel();
  const answers = history.map((event) => happens(model, event));
  return { live, model: [...answers, endOf(model)], seen: seenIn(history, answers) };
}

/** What comes of each event, by the model. */
export function outcomesOf(history: readonly BookingEvent[]): readonly string[] {
  const model = openedModel();
  return seenIn(
    history,
    history.map((event) => happens(model, event)),
  );
}

const seenIn = (history: readonly BookingEvent[], answers: readonly object[]) =>
  answers.map((answer, index) => `${history[index]?.kind} ${outcomeOf(answer)}`);

function outcomeOf(answer: object): string {
  if ('refusal' in answer) return String(answer.refusal);
  return 'replayed' in answer && answer.replayed === true ? 'again' : 'done';
}

/** What histories have to come by, or they say nothing about it. */
const WORTH_SEEING: Readonly<Record<BookingEvent['kind'], readonly string[]>> = {
  hold: ['done', 'again', 'seat-taken', 'seat-not-found', 'seat-limit-reached', 'idempotency-key-reused'],
  extend: ['done', 'already-paid', 'reservation-not-held', 'hold-expired', 'hold-at-ceiling', 'reservation-not-found'],
  pay: [
    ...[
      'done',
      'already-paid',
      'reservation-not-held',
      'hold-expired',
      'insufficient-balance',
      'reservation-not-found',
    ],
    ...['again', 'idempotency-key-reused'],
  ],
  release: ['done', 'already-paid', 'hold-expired', 'reservation-not-found'],
  cancel: ['done', 'already-cancelled', 'hold-expired', 'refund-closed', 'reservation-not-found'],
  charge: ['done', 'again', 'amount-out-of-range', 'idempotency-key-reused'],
  block: ['done', 'seat-taken', 'seat-not-found'],
  unblock: ['done', 'seat-not-found'],
  expire: ['done'],
  pass: ['done'],
};

/** Of what is worth seeing, what was not seen. */
export function missed(seen: ReadonlySet<string>): string[] {
  const wanted = Object.entries(WORTH_SEEING).flatMap(([kind, outcomes]) => outcomes.map((one) => `${kind} ${one}`));
  return wanted.filter((one) => !seen.has(one));
}

/** As few of those that are made up as still come by everything worth seeing. */
export const SERIES = MADE_UP.reduce((few, history) => {
  const others = few.filter((one) => one !== history);
  return missed(new Set(others.flatMap(outcomesOf))).length === 0 ? others : few;
}, MADE_UP).map((history): [readonly BookingEvent[]] => [history]);

/** That the box office answers as the model, in histories that are made up and, where it does not, made shorter. */
export function answersAsModelled(
  harness: StoreHarness,
  verdict: (compared: Compared) => void | Promise<void>,
  { eventsMax = EVENTS_MAX } = {},
) {
  return fc.asyncProperty(historiesOf(eventsMax), async (history) => verdict(await compare(harness, history)));
}

/** That what two users are answered who ask at once is what the model answers in some order of their commands. */
export function answersInSomeOrder(harness: StoreHarness, check: () => Promise<void>) {
  const ownCommands = (who: number) =>
    fc.array(
      commands.map((event) => ('of' in event ? { ...event, who, of: { ...event.of, owner: who } } : { ...event, who })),
      { minLength: 2, maxLength: 5, size: 'max' },
    );
  return fc.asyncProperty(ownCommands(0), ownCommands(1), async (one, other) => {
    const booking = await openLiveBooking(harness);
    const told = await Promise.all(
      [one, other].map(async (own) => {
        const answers: object[] = [];
        for (const event of own) answers.push(await booking.happens(event));
        return own.map((event, index) => ({ event, answer: answers[index] }));
      }),
    );
    const end = JSON.stringify(sorted(await booking.end()));
    await check();
    if (!explained(openedModel(), told as [Told[], Told[]], end)) {
      throw new Error(`no order of the commands explains ${JSON.stringify({ told, end }, null, 1)}`);
    }
  });
}

type Told = { readonly event: BookingEvent; readonly answer: object | undefined };

/** Whether the model could have answered this, one command after the other, and come to this end. */
function explained(model: Model, [ones, others]: [readonly Told[], readonly Told[]], end: string): boolean {
  if (ones.length + others.length === 0) return JSON.stringify(sorted(endOf(model))) === end;
  const after = ([next, ...rest]: readonly Told[], then: (model: Model, rest: readonly Told[]) => boolean): boolean => {
    if (next === undefined) return false;
    const changed = structuredClone(model);
    const answer = happens(changed, next.event);
    return JSON.stringify(sorted(answer)) === JSON.stringify(sorted(next.answer)) && then(changed, rest);
  };
  return (
    after(ones, (changed, rest) => explained(changed, [rest, others], end)) ||
    after(others, (changed, rest) => explained(changed, [ones, rest], end))
  );
}

/** The same value, its keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
