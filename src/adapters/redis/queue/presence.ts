import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { PlaceId } from '#domain/queue/queue.ts';
import type { LineView } from './line-view.ts';

/** Who has asked, gathered until it is written down: a poll costs an entry in a set. */
export type Presence = {
  /** This number has asked. */
  note(view: LineView, place: PlaceId, number: number): void;
  /** Writes down who has asked since the last time. What cannot be written is kept for the next. */
  writeDown(): Promise<void>;
};

type Asked = {
  readonly epoch: string;
  /** By which numbers places were known. */
  readonly drawCount: number | '';
  readonly numbers: Set<number>;
};

/** Bounds one run of the script, to about a millisecond. */
const BATCH_MAX = 1_000;

export function presence(redis: RedisClient): Presence {
  let asked = new Map<LineView, Asked>();

  async function write(view: LineView, { epoch, drawCount, numbers }: Asked): Promise<void> {
    const all = [...numbers];
    for (let from = 0; from < all.length; from += BATCH_MAX) {
      const batch = all.slice(from, from + BATCH_MAX);
      await run(redis, scripts.see, view.keys, epoch, drawCount, ...batch);
      for (const number of batch) numbers.delete(number);
    }
  }

  /** Somebody's place may depend on what could not be written. */
  function keep(view: LineView, unwritten: Asked): void {
    const since = asked.get(view);
    if (since === undefined) asked.set(view, unwritten);
    else if (isSameLine(since, unwritten)) for (const number of unwritten.numbers) since.numbers.add(number);
  }

  return {
    note(view, { epoch }, number) {
      const line = { epoch, drawCount: view.drawCount() };
      const noted = asked.get(view);
      if (noted !== undefined && isSameLine(noted, line)) noted.numbers.add(number);
      // What was noted of another line, or by other numbers, could not be written down any more.
      else asked.set(view, { ...line, numbers: new Set([number]) });
    },

    async writeDown() {
      const all = [...asked];
      asked = new Map();
      // Each line for itself: one that cannot be written to costs nobody in another their place.
      const outcomes = await Promise.allSettled(
        all.map(async ([view, line]) =>
          write(view, line).catch((error: unknown) => {
            keep(view, line);
            throw error;
          }),
        ),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}

function isSameLine(a: Pick<Asked, 'epoch' | 'drawCount'>, b: Pick<Asked, 'epoch' | 'drawCount'>): boolean {
  return a.epoch === b.epoch && a.drawCount === b.drawCount;
}
