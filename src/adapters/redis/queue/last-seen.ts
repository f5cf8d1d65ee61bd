import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { type DrawCount, run, scripts } from '#adapters/redis/scripts.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { QueueView } from './queue-view.ts';

/** Heartbeats of polls that were answered from memory, written in batches: a poll costs an entry in a set. */
export type LastSeen = {
  note(view: QueueView, entry: EntryId, number: number): void;
  /** Writes the heartbeats since the last call. Keeps for the next call what cannot be written. */
  write(): Promise<void>;
};

type Heartbeats = {
  readonly epoch: string;
  /** Names the draw by which the numbers are given. */
  readonly drawCount: DrawCount;
  readonly numbers: Set<number>;
};

/** Bounds one run of the script to about a millisecond. */
const BATCH_MAX = 1_000;

export function lastSeen(redis: RedisClient): LastSeen {
  let unwritten = new Map<QueueView, Heartbeats>();

  async function writeOne(view: QueueView, { epoch, drawCount, numbers }: Heartbeats): Promise<void> {
    const all = [...numbers];
    for (let from = 0; from < all.length; from += BATCH_MAX) {
      const batch = all.slice(from, from + BATCH_MAX);
      await run(redis, scripts.touch, view.keys, { epoch, drawCountKnown: drawCount }, batch);
      for (const number of batch) numbers.delete(number);
    }
  }

  function keep(view: QueueView, failed: Heartbeats): void {
    const since = unwritten.get(view);
    if (since === undefined) unwritten.set(view, failed);
    else if (isSameQueue(since, failed)) for (const number of failed.numbers) since.numbers.add(number);
  }

  return {
    note(view, { epoch }, number) {
      const queue = { epoch, drawCount: view.drawCount() };
      const noted = unwritten.get(view);
      if (noted !== undefined && isSameQueue(noted, queue)) noted.numbers.add(number);
      // The script would refuse heartbeats of another epoch or draw.
      else unwritten.set(view, { ...queue, numbers: new Set([number]) });
    },

    async write() {
      const all = [...unwritten];
      unwritten = new Map();
      // Each queue by itself: a failure in one costs no entry of another its place.
      const outcomes = await Promise.allSettled(
        all.map(async ([view, heartbeats]) =>
          writeOne(view, heartbeats).catch((error: unknown) => {
            keep(view, heartbeats);
            throw error;
          }),
        ),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}

function isSameQueue(a: Pick<Heartbeats, 'epoch' | 'drawCount'>, b: Pick<Heartbeats, 'epoch' | 'drawCount'>): boolean {
  return a.epoch === b.epoch && a.drawCount === b.drawCount;
}
