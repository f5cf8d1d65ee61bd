import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import type { QueueStatusStream } from './queue-status-stream.ts';

export type StreamPorts = Pick<Ports, 'queue' | 'concerts' | 'random'>;

/** The streams of one concert. */
export type ConcertStreams = {
  readonly streams: Set<QueueStatusStream>;
  /** Updates the streams that are due, one round at a time. */
  update(): Promise<void>;
  /** Stops watching the queue. */
  close(): void;
};

/** Bounds what one turn of the event loop does, so that requests are answered in between. */
const UPDATES_PER_TURN = 500;
/** The pause between two rounds. It bounds the rounds of a queue that moves all the time. */
const ROUND_PAUSE_MS = 50;

/** Updates its streams when the queue moves, and whenever `update` is called. */
export function concertStreams(
  ports: StreamPorts,
  concertId: ConcertId,
  onError: (error: unknown) => void,
): ConcertStreams {
  const streams = new Set<QueueStatusStream>();
  let isUpdating = false;
  let isRequested = false;

  async function update(): Promise<void> {
    isRequested = true;
    if (isUpdating) return;
    isUpdating = true;
    while (isRequested && streams.size > 0) {
      isRequested = false;
      await updateDue(ports, concertId, streams, onError);
      await new Promise((resolve) => setTimeout(resolve, ROUND_PAUSE_MS));
    }
    isUpdating = false;
  }

  const close = ports.queue.watch(concertId, () => void update());
  return { streams, update, close };
}

/** The smallest sequence still waiting. While the queue is unavailable nothing is admitted, whatever the head. */
export function headOf({ queue }: StreamPorts, concertId: ConcertId): Promise<number> {
  return queue.survey(concertId).then(
    ({ head }) => head,
    () => Number.NEGATIVE_INFINITY,
  );
}

async function updateDue(
  ports: StreamPorts,
  concertId: ConcertId,
  streams: ReadonlySet<QueueStatusStream>,
  onError: (error: unknown) => void,
): Promise<void> {
  const head = await headOf(ports, concertId);
  const now = performance.now();
  const due = [...streams].filter((stream) => stream.isDue(now, head));
  const failures: unknown[] = [];
  for (let from = 0; from < due.length; from += UPDATES_PER_TURN) {
    const updates = due.slice(from, from + UPDATES_PER_TURN).map((stream) => updateOne(ports, stream, head));
    for (const outcome of await Promise.allSettled(updates)) {
      if (outcome.status === 'rejected' && !isTransient(outcome.reason)) failures.push(outcome.reason);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (failures.length > 0) onError(failures[0]);
}

async function updateOne(ports: StreamPorts, stream: QueueStatusStream, head: number): Promise<void> {
  if (!stream.prepareUpdate(performance.now())) return;
  try {
    stream.update(await pollQueue(ports, stream.entry), head);
  } catch (error) {
    if (!isTransient(error)) stream.end('come back');
    throw error;
  }
}

/** A store is unavailable or busy. The next update tries again. */
function isTransient(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'busy');
}
