import type { Concert } from '#domain/catalog/concert.ts';
import type { Policy } from '#domain/catalog/policy.ts';
import type { KeptPlan, PlannedSection } from '#domain/catalog/seat-plan.ts';
import type { Lottery } from '#domain/queue/lottery.ts';

// How concerts are written in an answer: times as RFC 3339 in UTC, and only what is in the contract.

export const viewConcert = ({ policy, lottery, opensInSeconds: _, ...concert }: Concert) => ({
  ...concert,
  salesOpenAt: concert.salesOpenAt.toISOString(),
  opensAt: concert.opensAt.toISOString(),
  opening: policy.opening,
  ...(lottery === undefined ? {} : { lottery: viewLottery(lottery) }),
  holdSeconds: policy.holdSeconds,
  holdSecondsMax: policy.holdSecondsMax,
  refundUntilSeconds: policy.refundUntilSeconds,
  seatsPerUserMax: policy.seatsPerUserMax,
});

export const viewLottery = ({ seedSha256, drawn }: Lottery) => ({
  seedSha256,
  ...(drawn === undefined ? {} : { seed: drawn.seed, count: drawn.count, drawnAt: drawn.at.toISOString() }),
});

/** As an operator sees it. */
export const viewManaged = (concert: Concert) => ({ ...viewConcert(concert), policy: viewPolicy(concert.policy) });

export const viewPolicy = (policy: Policy) => ({ ...policy, opensAt: policy.opensAt?.toISOString() ?? null });

/** Copied, because the schema's arrays may be changed and the domain's may not. */
export const viewKeptPlan = ({ plan, sha256 }: KeptPlan) => ({
  version: plan.version,
  sha256,
  plan: { ...plan, grades: [...plan.grades], sections: plan.sections.map(viewSection), blocked: [...plan.blocked] },
});

const viewSection = ({ rows, ...section }: PlannedSection) => ({
  ...section,
  rows: rows.map(({ row, seats }) => ({ row, seats: [...seats] })),
});
