import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import { type ConcertStreams, concertStreams, headOf, type StreamPorts } from './concert-streams.ts';
import { eventIdOf, lastEventIdOf } from './queue-status-event.ts';
import { QueueStatusStream, type Sink, type StreamTimes } from './queue-status-stream.ts';

export type StreamSettings = {
  /** Streams per instance. */
  readonly max: number;
  readonly heartbeatSeconds: number;
};

/** The streams of this instance. */
export type Streams = {
  /**
   * Starts a stream and sends the status of the queue entry, then every change. False, and no stream, if the entry is
   * EXPIRED and the client has seen that. Refuses `busy` beyond the limit of streams, and as polling refuses.
   */
  open(entry: QueueEntry, lastEventId: string | undefined, begin: () => Sink): Promise<boolean>;
  /** Ends all streams and refuses new ones. */
  close(): void;
};

/** How often streams are checked for being due. */
const TICK_MS = 200;
const FULL_RETRY_AFTER_SECONDS = 30;
/** For a few tabs, and a connection that died unnoticed. Beyond this number, the oldest stream of an entry ends. */
const STREAMS_PER_ENTRY_MAX = 3;
/**
 * A client whose network died looks like a reading one for a quarter of an hour, by the retransmissions of TCP, and would
 * count as present. The life of a stream bounds that, and spreads streams over new instances.
 */
const LIFE_MS = 300_000;
/** Streams that began together should not end together. */
const LIFE_JITTER = 0.2;

export function queueStatusStreams(
  ports: StreamPorts,
  { max, heartbeatSeconds }: StreamSettings,
  onError: (error: unknown) => void,
): Streams {
  const running = runningStreams((concertId) => concertStreams(ports, concertId, onError));
  /** Streams that run or are being opened. */
  let count = 0;
  let isClosed = false;

  async function start(entry: QueueEntry, lastEventId: string | undefined, begin: () => Sink): Promise<boolean> {
    const head = await headOf(ports, entry.concertId);
    const status = await pollQueue(ports, entry);
    if (isClosed) throw stopping();
    const seen = lastEventIdOf(lastEventId, entry.sequence);
    if (status.status === 'EXPIRED' && eventIdOf(status).text === seen?.text) return false;
    const stream = new QueueStatusStream(begin(), status, seen, head, timesOf(heartbeatSeconds, ports.random));
    running.add(stream, () => (count -= 1));
    return true;
  }

  return {
    async open(entry, lastEventId, begin) {
      if (count >= max) throw full();
      count += 1;
      let isStarted = false;
      try {
        isStarted = await start(entry, lastEventId, begin);
      } finally {
        if (!isStarted) count -= 1;
      }
      return isStarted;
    },

    close() {
      isClosed = true;
      running.endAll('come back');
    },
  };
}

/** Groups streams by concert and by queue entry, and lets them update on a tick. */
function runningStreams(ofConcert: (concertId: ConcertId) => ConcertStreams) {
  const byConcert = new Map<ConcertId, ConcertStreams>();
  /** The streams of each queue entry, the oldest first. */
  const byEntry = new Map<string, Set<QueueStatusStream>>();
  let timer: NodeJS.Timeout | undefined;

  function concertOf(concertId: ConcertId): ConcertStreams {
    const known = byConcert.get(concertId);
    if (known !== undefined) return known;
    const started = ofConcert(concertId);
    byConcert.set(concertId, started);
    timer ??= setInterval(() => {
      for (const { update } of byConcert.values()) void update();
    }, TICK_MS);
    return started;
  }

  function remove(stream: QueueStatusStream): boolean {
    const { concertId } = stream.entry;
    const concert = byConcert.get(concertId);
    if (concert?.streams.delete(stream) !== true) return false;
    const own = byEntry.get(keyOf(stream));
    own?.delete(stream);
    if (own?.size === 0) byEntry.delete(keyOf(stream));
    if (concert.streams.size === 0) {
      concert.close();
      byConcert.delete(concertId);
    }
    if (byConcert.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    return true;
  }

  return {
    add(stream: QueueStatusStream, onRemoved: () => void): void {
      concertOf(stream.entry.concertId).streams.add(stream);
      const own = byEntry.get(keyOf(stream)) ?? new Set();
      byEntry.set(keyOf(stream), own.add(stream));
      const [oldest] = own;
      if (own.size > STREAMS_PER_ENTRY_MAX) oldest?.end('others came');
      stream.sink.onGone(() => {
        if (remove(stream)) onRemoved();
      });
    },

    endAll(reason: string): void {
      for (const { streams } of byConcert.values()) for (const stream of streams) stream.end(reason);
    },
  };
}

const keyOf = ({ entry }: QueueStatusStream) => `${entry.concertId} ${entry.epoch} ${entry.sequence}`;

function timesOf(heartbeatSeconds: number, random: () => number): StreamTimes {
  const jitter = 1 + LIFE_JITTER * (2 * random() - 1);
  return { heartbeatMs: heartbeatSeconds * 1_000, lifeMs: LIFE_MS * jitter };
}

/** The client reconnects, to another instance. */
const stopping = () => new Refusal('busy', { retryAfterSeconds: 1 });

function full(): Refusal {
  return new Refusal('busy', {
    retryAfterSeconds: FULL_RETRY_AFTER_SECONDS,
    detail: 'This instance has no room for another stream. Poll GET /v1/queue instead.',
  });
}
