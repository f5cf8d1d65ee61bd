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

/**
 * Everything that the use cases need from outside. Each takes the few that it uses: `Pick<Ports, 'queue' | 'concerts'>`.
 */
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
  /** A new UUID of version 7: ids sort by creation time. */
  readonly newId: () => string;
  /** Logs an unexpected error that no caller sees. */
  readonly reportError: (error: unknown) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly walletLimits: WalletLimits;
};
