import type { PublicEvent } from '#domain/events/public-event.ts';
import { type ConcertId, chargeId, concertId, type UserId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Money } from '#domain/wallet/money.ts';
import type { Lock } from '#ports/booking/lock.ts';
import type { Ports } from '#ports/index.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { type Staged, stageConcert } from '#tests/contracts/stage-concert.ts';
import { memoryBoxOffice } from './memory-box-office.ts';
import { type MemoryClock, memoryClock } from './memory-clock.ts';
import { memoryConcerts } from './memory-concerts.ts';
import { memoryDeliveries } from './memory-deliveries.ts';
import { memoryEventStream } from './memory-event-stream.ts';
import { memoryEvents } from './memory-events.ts';
import { memoryHoldKeys } from './memory-hold-keys.ts';
import { memoryLock } from './memory-lock.ts';
import { memoryQueue } from './memory-queue.ts';
import { compareEvents, memoryQueueRecords } from './memory-queue-records.ts';
import { memoryStore, type StoredConcert } from './memory-store.ts';
import { memoryWallets } from './memory-wallets.ts';
import { type MemoryWebhookSender, memoryWebhookSender } from './memory-webhook-sender.ts';
import { memoryWebhooks } from './memory-webhooks.ts';

/** All ports in memory, a clock that a test moves, and methods that arrange a story. */
export type MemoryWorld = {
  readonly ports: Ports;
  readonly clock: MemoryClock;
  /** The events on the stream. */
  readonly published: readonly PublicEvent[];
  /** The messages to endpoints, and their answers. */
  readonly webhookSender: MemoryWebhookSender;
  /** The recorded events of a queue, in order. */
  recorded(concertId: ConcertId): QueueEvent[];
  /** Puts a concert on sale. A test may change it later, as an operator would. */
  stage(staged?: Staged): StoredConcert;
  /** A user with this balance. */
  user(balance?: Money): Promise<UserId>;
  /** A user with this balance in the queue of a concert, admitted if there is room. */
  fan(concert: StoredConcert, balance?: Money): Promise<QueueEntry>;
};

export function memoryWorld({ lock = memoryLock() }: { readonly lock?: Lock } = {}): MemoryWorld {
  const clock = memoryClock();
  const store = memoryStore(clock);
  const newId = idsInOrder(clock);
  const queueRecords = memoryQueueRecords(store);
  const eventStream = memoryEventStream();
  const webhookSender = memoryWebhookSender();
  const ports: Ports = {
    queue: memoryQueue(clock, queueRecords),
    queueRecords,
    holdKeys: memoryHoldKeys(clock),
    lock,
    boxOffice: memoryBoxOffice(store),
    wallets: memoryWallets(store),
    concerts: memoryConcerts(store),
    events: memoryEvents(store),
    eventStream,
    webhooks: memoryWebhooks(store),
    deliveries: memoryDeliveries(store),
    webhookSender,
    newId,
    reportError: (error) => {
      throw error;
    },
    // No jitter.
    random: () => 0.5,
    walletLimits: { chargeMin: 1, chargeMax: 1_000_000, balanceMax: 2_000_000 },
  };

  async function user(balance = 0): Promise<UserId> {
    const id = userId(newId());
    await ports.wallets.open(id, 'KRW');
    if (balance > 0) {
      const request = { userId: id, key: 'the first charge', fingerprint: '' };
      await ports.wallets.charge({ chargeId: chargeId(newId()), amount: balance, balanceMax: balance, request });
    }
    return id;
  }

  return {
    ports,
    clock,
    published: eventStream.published,
    webhookSender,
    user,
    recorded(concertId) {
      return [...(store.lineEvents.get(concertId)?.values() ?? [])].sort(compareEvents);
    },
    stage(staged) {
      const id = concertId(newId());
      const concert = stageConcert(id, clock.now(), staged);
      store.concerts.set(id, concert);
      return concert;
    },
    async fan({ concertId, policy }, balance) {
      const { entry } = await ports.queue.join(concertId, await user(balance), policy);
      await ports.queue.admit(concertId, policy);
      return entry;
    },
  };
}

/** UUIDs in the form of version 7: milliseconds since 1970, then a counter instead of random bits. */
function idsInOrder(clock: MemoryClock): () => string {
  let made = 0;
  return () => {
    const time = clock.now().toString(16).padStart(12, '0');
    made += 1;
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${made.toString(16).padStart(12, '0')}`;
  };
}
