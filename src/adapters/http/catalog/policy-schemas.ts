import { z } from 'zod';
import { DATE_MIN, example, instant, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { orphanSeatsPolicies } from '#domain/booking/best-seats.ts';
import { openings, type Policy, type PolicyChange, type PolicyNumber, policyBounds } from '#domain/catalog/policy.ts';

// The shapes of the policy of a concert.

const decisions: { readonly [K in PolicyNumber]: readonly [value: number, description: string] } = {
  activeMax: [100, 'Active sessions at once; 0: no such limit'],
  admitPerWindow: [0, 'Entries admitted within any windowSeconds; 0: no such limit. One of the two limits must be on'],
  windowSeconds: [60, 'The sliding window of admitPerWindow'],
  waitingMax: [1_000_000, 'Entries that may wait; beyond it, joining is refused with queue-full'],
  sessionSeconds: [600, 'The length of a session; a hold extends it to its deadline'],
  claimSeconds: [90, 'An admitted client must show a sign of life within this time, or its session ends'],
  absentSeconds: [180, 'An entry at the head is passed over after this much silence'],
  graceSeconds: [300, 'An absent entry is kept for this long, and is next when it rejoins'],
  holdSeconds: [300, 'Time to pay a held seat'],
  holdSecondsMax: [600, 'The longest a hold can be extended to; at or below holdSeconds it cannot be extended'],
  refundUntilSeconds: [86_400, 'Refunds close this long before the date starts; -1: no refunds'],
  seatsPerUserMax: [4, 'Seats of one date that a user may hold and own'],
  holdsPerSessionMax: [30, 'Holds that a user may make within sessionSeconds, released ones included'],
};

const names = Object.keys(decisions) as PolicyNumber[];

function decision(name: PolicyNumber) {
  const [min, max] = policyBounds[name];
  const [value, description] = decisions[name];
  return example(z.int().min(min).max(max).describe(description), value);
}

const opening = example(
  z.enum(openings).describe('The order of those who joined before opensAt: by joining (fifo), or by lot (lottery)'),
  'fifo',
);

const opensAt = instant(story.opensAt)
  .refine((at) => at >= DATE_MIN, `must not be before ${DATE_MIN}`)
  .nullable()
  .describe('When admission starts; null: when sales open. Entries of before wait');

const strandedSeats = z
  .enum(orphanSeatsPolicies)
  .describe(
    'A hold that leaves an orphan seat, where another choice would not: off, is accepted; warn, is accepted and the answer names the seat; enforce, is refused',
  );

export const paused = z.boolean().describe('While true, nothing is admitted; sessions go on, and joining stays open');

export const decided = {
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

export const change = z.strictObject({
  opening: opening.nullable().optional().describe('As in the policy; it cannot change once sales have opened'),
  opensAt: opensAt.optional(),
  ...(Object.fromEntries(
    names.map((name) => [name, example(decision(name).nullable().optional(), decisions[name][0])]),
  ) as { [K in PolicyNumber]: z.ZodOptional<z.ZodNullable<z.ZodInt>> }),
  strandedSeats: strandedSeats.nullable().optional(),
  paused: paused.optional(),
});

export const policyChange = example(
  change.refine((changed) => Object.keys(changed).length > 0, 'must name what is to be changed'),
  { activeMax: 0, admitPerWindow: 600, windowSeconds: 60, waitingMax: null },
);

/** The change in the words of the domain. */
export function changeOf({ opensAt, ...rest }: z.output<typeof change>): PolicyChange {
  return { ...rest, opensAt: typeof opensAt === 'string' ? new Date(opensAt) : opensAt };
}
