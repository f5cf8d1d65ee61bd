/** Asks for adjacent seats, the best of the hall, or of one section or grade. */
export type SeatWish = {
  readonly quantity: number;
  readonly section?: string | undefined;
  readonly grade?: string | undefined;
};

/** What happens to a hold that would leave an orphan seat that another choice would avoid. */
export const orphanSeatsPolicies = ['off', 'warn', 'enforce'] as const;
export type OrphanSeats = (typeof orphanSeatsPolicies)[number];
