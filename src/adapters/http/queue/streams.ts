import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import { eventIdOf, lastEventIdOf } from './queue-status-event.ts';
import { type Sink, type StandingStream, standingStream } from './queue-status-stream.ts';

export type StreamSettings = {
  /** How many streams one instance carries. */
  readonly max: number;
  /** A stream with nothing to say says so after this long. */
  readonly heartbeatSeconds: number;
};

/** Everybody who is told of their standing as it changes, by this instance. */
export type Streams = {
  /**
   * Looks where the place stands, begins a stream and tells it there, then every change. False, and no stream, if the place
   * is over and the client has seen that. Refuses `busy` when there are as many as may be, and what polling refuses.
   */
  open(entry: QueueEntry, lastEventId: string | undefined, begin: () => Sink): Promise<boolean>;
  /** Ends all of them, and lets no more begin. */
  close(): void;
};

type Audience = {
  readonly streams: Set<StandingStream>;
  readonly unwatch: () => void;
  passing: boolean;
  again: boolean;
};

type Needed = Pick<Ports, 'queue' | 'concerts' | 'random'>;

/** How often to see whom it is time to look for. */
const TICK_MS = 200;
/** Bounds what one turn of the event loop does, so that requests are answered in between. */
const LOOKS_PER_TURN = 500;
/** News of a line that moves all the time is gathered for this long. */
const PASS_MS = 50;
const FULL_RETRY_AFTER_SECONDS = 30;
/** Some tabs, and a connection that died unnoticed. With one token nobody takes the streams of others: the oldest ends. */
const STREAMS_PER_PLACE_MAX = 3;
/**
 * Somebody whose network went away without a word looks like one who reads, for a quarter of an hour by the retransmissions
 * of TCP, and would count as being there. Ending each stream in time bounds that, and spreads streams over new instances.
 */
const LIFE_MS = 300_000;
/** Streams that began together should not end together. */
const LIFE_JITTER = 0.2;

export function standingStreams(
  ports: Needed,
  { max, heartbeatSeconds }: StreamSettings,
  onError: (error: unknown) => void,
): Streams {
  const { queue, random } = ports;
  const audiences = new Map<ConcertId, Audience>();
  /** The streams of each place, the oldest first. */
  const byPlace = new Map<string, Set<StandingStream>>();
  let carried = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function audienceOf(concertId: ConcertId): Audience {
    const known = audiences.get(concertId);
    if (known !== undefined) return known;
    const unwatch = queue.watch(concertId, () => void pass(concertId));
    const audience = { streams: new Set<StandingStream>(), unwatch, passing: false, again: false };
    audiences.set(concertId, audience);
    timer ??= setInterval(() => {
      for (const id of audiences.keys()) void pass(id);
    }, TICK_MS);
    return audience;
  }

  function add(stream: StandingStream): void {
    audienceOf(stream.entry.concertId).streams.add(stream);
    const own = byPlace.get(placeOf(stream)) ?? new Set();
    byPlace.set(placeOf(stream), own.add(stream));
    const [oldest] = own;
    if (own.size > STREAMS_PER_PLACE_MAX) oldest?.end('others came');
    stream.sink.onGone(() => remove(stream));
  }

  function remove(stream: StandingStream): void {
    const { concertId } = stream.entry;
    const audience = audiences.get(concertId);
    if (audience?.streams.delete(stream) !== true) return;
    carried -= 1;
    const own = byPlace.get(placeOf(stream));
    own?.delete(stream);
    if (own?.size === 0) byPlace.delete(placeOf(stream));
    if (audience.streams.size > 0) return;
    audience.unwatch();
    audiences.delete(concertId);
    if (audiences.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  /** Looks for all of a concert who are due, one pass at a time. */
  async function pass(concertId: ConcertId): Promise<void> {
    const audience = audiences.get(concertId);
    if (audience === undefined) return;
    audience.again = true;
    if (audience.passing) return;
    audience.passing = true;
    while (audience.again && audience.streams.size > 0) {
      audience.again = false;
      await lookForAll(concertId, audience.streams);
      await new Promise((resolve) => setTimeout(resolve, PASS_MS));
    }
    audience.passing = false;
  }

  async function lookForAll(concertId: ConcertId, streams: ReadonlySet<StandingStream>): Promise<void> {
    const frontier = await frontierOf(concertId);
    const now = performance.now();
    const due = [...streams].filter((stream) => stream.isDue(now, frontier));
    const failures: unknown[] = [];
    for (let from = 0; from < due.length; from += LOOKS_PER_TURN) {
      const looks = due.slice(from, from + LOOKS_PER_TURN).map((stream) => look(stream, frontier));
      for (const outcome of await Promise.allSettled(looks)) {
        if (outcome.status === 'rejected' && !isPassing(outcome.reason)) failures.push(outcome.reason);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (failures.length > 0) onError(failures[0]);
  }

  /** Unknown while the line cannot be reached: then nobody's turn comes either. */
  const frontierOf = (concertId: ConcertId) =>
    queue.survey(concertId).then(
      ({ frontier }) => frontier,
      () => Number.NEGATIVE_INFINITY,
    );

  async function look(stream: StandingStream, frontier: number): Promise<void> {
    if (!stream.attend(performance.now())) return;
    try {
      stream.tell(await pollQueue(ports, stream.entry), frontier);
    } catch (error) {
      if (!isPassing(error)) stream.end('come back');
      throw error;
    }
  }

  return {
    async open(entry, lastEventId, begin) {
      if (carried >= max) throw full();
      carried += 1;
      try {
        const frontier = await frontierOf(entry.concertId);
        const queueStatus = await pollQueue(ports, entry);
        if (closed) throw stopping();
        const seen = lastEventIdOf(lastEventId, entry.sequence);
        if (queueStatus.status === 'EXPIRED' && eventIdOf(queueStatus).text === seen?.text) {
          carried -= 1;
          return false;
        }
        const lifeMs = LIFE_MS * (1 + LIFE_JITTER * (2 * random() - 1));
        const settings = { heartbeatMs: heartbeatSeconds * 1_000, lifeMs };
        add(standingStream(begin(), queueStatus, seen, frontier, settings));
        return true;
      } catch (error) {
        carried -= 1;
        throw error;
      }
    },

    close() {
      closed = true;
      for (const { streams } of audiences.values()) for (const stream of streams) stream.end('come back');
    },
  };
}

const placeOf = ({ entry }: StandingStream) => `${entry.concertId} ${entry.epoch} ${entry.sequence}`;

/** The stores are away or busy: it is tried again with the next look. */
function isPassing(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'unavailable' || error.code === 'busy');
}

/** Another instance has its door open. */
const stopping = () => new Refusal('busy', { retryAfterSeconds: 1 });

function full(): Refusal {
  return new Refusal('busy', {
    retryAfterSeconds: FULL_RETRY_AFTER_SECONDS,
    detail: 'This instance carries as many streams as it may. Poll GET /v1/queue instead.',
  });
}
