import type { WalletLimits } from '#domain/wallet/wallet.ts';
import type { BoxOffice } from './booking/box-office.ts';
import type { HoldKeys } from './booking/hold-keys.ts';
import type { Lock } from './booking/lock.ts';
import type { Concerts } from './catalog/concerts.ts';
import type { Deliveries } from './events/deliveries.ts';
import type { EventStream } from './events/event-stream.ts';
import type { Events } from './events/events.ts';
import type { WebhookSender } from './events/webhook-sender.ts';
import type { Webhooks } from './events/webhooks.ts';
import type { Queue } from './queue/queue.ts';
import type { QueueRecords } from './queue/queue-records.ts';
import type { Wallets } from './wallet/wallets.ts';

/** All that the use cases need from outside. Each takes the few it uses: `Pick<Ports, 'waitingRoom' | 'concerts'>`. */
export type Ports = {
  readonly queue: Queue;
  readonly queueRecords: QueueRecords;
  readonly holdKeys: HoldKeys;
  readonly lock: Lock;
  readonly boxOffice: BoxOffice;
  readonly wallets: Wallets;
  readonly concerts: Concerts;
  readonly events: Events;
  readonly eventStream: EventStream;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly webhookSender: WebhookSender;
  /** A new UUID, version 7: ids sort by the time they were made. */
  readonly newId: () => string;
  /** Takes an error that no caller sees: a bug, to be logged. */
  readonly reportError: (error: unknown) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly walletLimits: WalletLimits;
};
