import type { ConcertId, UserId } from '#domain/ids.ts';

export type JoinAttempt = {
  readonly concertId: ConcertId;
  readonly userId: UserId;
  readonly clientAddress: string;
  readonly userAgent: string | undefined;
};

/** The operator's own check of a join. `failed`: it gave no usable answer in time. Never rejects. */
export type CheckJoin = (attempt: JoinAttempt) => Promise<'allowed' | 'refused' | 'failed'>;
