import type { WalletLimits } from '#domain/wallet.ts';
import type { BoxOffice } from './box-office.ts';
import type { Concerts } from './concerts.ts';
import type { Courier } from './courier.ts';
import type { Deliveries } from './deliveries.ts';
import type { EventStream } from './event-stream.ts';
import type { Events } from './events.ts';
import type { Lines } from './lines.ts';
import type { Lock } from './lock.ts';
import type { SeatHolds } from './seat-holds.ts';
import type { WaitingRoom } from './waiting-room.ts';
import type { Wallets } from './wallets.ts';
import type { Webhooks } from './webhooks.ts';

/** All that the use cases need from outside. Each takes the few it uses: `Pick<Ports, 'waitingRoom' | 'concerts'>`. */
export type Ports = {
  readonly waitingRoom: WaitingRoom;
  readonly lines: Lines;
  readonly seatHolds: SeatHolds;
  readonly lock: Lock;
  readonly boxOffice: BoxOffice;
  readonly wallets: Wallets;
  readonly concerts: Concerts;
  readonly events: Events;
  readonly eventStream: EventStream;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly courier: Courier;
  /** A new UUID, version 7: ids sort by the time they were made. */
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly walletLimits: WalletLimits;
};
