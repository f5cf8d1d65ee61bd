import type { Cancellation, Payment, Refund, Reservation } from '#domain/booking/reservation.ts';
import type { Concert } from '#domain/catalog/concert.ts';
import type { Policy } from '#domain/catalog/policy.ts';
import type { KeptPlan, PlannedSection } from '#domain/catalog/seat-plan.ts';
import type { Lottery } from '#domain/queue/lottery.ts';
import type { Charge, LedgerEntry } from '#domain/wallet/wallet.ts';
import type { PublicQueue } from '#use-cases/queue/show-queue.ts';

// How the domain's values are written in an answer: times as RFC 3339 in UTC, and nothing that is not in the contract.

export const viewConcert = ({ policy, lottery, ...concert }: Concert) => ({
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

const viewLottery = ({ seedSha256, drawn }: Lottery) => ({
  seedSha256,
  ...(drawn === undefined ? {} : { seed: drawn.seed, count: drawn.count, drawnAt: drawn.at.toISOString() }),
});

export const viewPublicLine = ({ concert, state, figures, seatsLeft, tailEta }: PublicQueue) => ({
  concertId: concert.concertId,
  state,
  opensAt: concert.opensAt.toISOString(),
  opening: concert.policy.opening,
  waiting: figures.waiting,
  registered: figures.registered,
  active: figures.active,
  frontier: figures.frontier,
  drawn: figures.drawn,
  ratePerSecond: figures.turnover,
  ...(tailEta === undefined ? {} : { etaSeconds: tailEta.p50, etaP90Seconds: tailEta.p90 }),
  seatsAvailable: seatsLeft.available,
  seatsHeld: seatsLeft.held,
  soldOut: seatsLeft.available === 0,
  ...(figures.rebuildingMs === undefined ? {} : { rebuildingSeconds: Math.ceil(figures.rebuildingMs / 1_000) }),
  ...(concert.lottery === undefined ? {} : { lottery: viewLottery(concert.lottery) }),
});

/** As an operator sees it. */
export const viewManaged = (concert: Concert) => ({ ...viewConcert(concert), policy: viewPolicy(concert.policy) });

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

export const viewPolicy = (policy: Policy) => ({ ...policy, opensAt: policy.opensAt?.toISOString() ?? null });

export const viewReservation = ({ strandedSeatNumbers, ...reservation }: Reservation) => ({
  ...reservation,
  seatNumbers: [...reservation.seatNumbers],
  ...(strandedSeatNumbers && { strandedSeatNumbers: [...strandedSeatNumbers] }),
  heldUntil: reservation.heldUntil.toISOString(),
  createdAt: reservation.createdAt.toISOString(),
});

export const viewPayment = ({ refundedAt, ...payment }: Payment) => ({
  ...payment,
  paidAt: payment.paidAt.toISOString(),
  ...(refundedAt === undefined ? {} : { refundedAt: refundedAt.toISOString() }),
});

export const viewCancellation = ({ reservation, refund }: Cancellation) => ({
  reservation: viewReservation(reservation),
  ...(refund === undefined ? {} : { refund: viewRefund(refund) }),
});

const viewRefund = (refund: Refund) => ({ ...refund, refundedAt: refund.refundedAt.toISOString() });

export const viewCharge = (charge: Charge) => ({ ...charge, chargedAt: charge.chargedAt.toISOString() });
export const viewEntry = (entry: LedgerEntry) => ({ ...entry, recordedAt: entry.recordedAt.toISOString() });
