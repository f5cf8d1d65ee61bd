import type { WalletLimits } from '#domain/wallet.ts';
import type { BoxOffice } from './box-office.ts';
import type { Concerts } from './concerts.ts';
import type { Lines } from './lines.ts';
import type { Lock } from './lock.ts';
import type { SeatHolds } from './seat-holds.ts';
import type { WaitingRoom } from './waiting-room.ts';
import type { Wallets } from './wallets.ts';

/** All that the use cases need from outside. Each takes the few it uses: `Pick<Ports, 'waitingRoom' | 'concerts'>`. */
export type Ports = {
  readonly waitingRoom: WaitingRoom;
  readonly lines: Lines;
  readonly seatHolds: SeatHolds;
  readonly lock: Lock;
  readonly boxOffice: BoxOffice;
  readonly wallets: Wallets;
  readonly concerts: Concerts;
  /** A new UUID, version 7: ids sort by the time they were made. */
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly walletLimits: WalletLimits;
};
