import { noFurtherBack, type QueueEntry, type QueueStatus } from '#domain/queue/queue.ts';
import { comment, type EventId, eventIdOf, queueStatusEvent, retryOnly } from './queue-status-event.ts';

/** The connection that a stream writes to. */
export type Sink = {
  send(text: string): void;
  /** What was sent and is still in our memory. */
  backlogBytes(): number;
  end(): void;
  /** Ends the connection and drops what is still to be sent. */
  cut(): void;
  /** Calls once the connection is closed, by either side; at once if it is closed already. */
  onGone(callback: () => void): void;
};

export type StreamTimes = {
  readonly heartbeatMs: number;
  /** The stream ends after this time, and its client reconnects. */
  readonly lifeMs: number;
};

/** Changes of position and estimate are sent once per interval; a new status is sent at once. */
const UPDATE_INTERVAL_MS = 1_000;
/** About ten statuses. While a client is further behind, it gets no update. */
const BACKLOG_BYTES_MAX = 4_096;
/** A client that has read nothing for this many heartbeats is cut off. */
const HEARTBEATS_UNREAD_MAX = 2;
/** A client that does not take the end of its stream is cut off after this time. */
const END_TIMEOUT_MS = 1_000;

/** Sends a client the status of its queue entry, as server-sent events. */
export class QueueStatusStream {
  readonly entry: QueueEntry;
  readonly sink: Sink;
  readonly #times: StreamTimes;
  readonly #startedAt = performance.now();
  #sent: EventId | undefined;
  #sentStatus: QueueStatus['status'];
  #sentAt = this.#startedAt;
  #updatedAt = this.#startedAt;
  /** Whether the interval had passed at the last update. */
  #isIntervalOver = true;
  #stuckSince: number | undefined;
  /** From this head on, the entry may have been admitted. */
  #admittedFromHead: number;
  #isOver = false;

  /** Sends the first status, unless it is the one that the client has seen last. */
  constructor(sink: Sink, first: QueueStatus, seen: EventId | undefined, head: number, times: StreamTimes) {
    this.entry = first.entry;
    this.sink = sink;
    this.#times = times;
    this.#sent = seen;
    this.#sentStatus = first.status;
    this.#admittedFromHead = admittedFromHead(first, head);
    this.#sendChange(first);
    if (this.#sent === seen) sink.send(retryOnly(first));
  }

  /** Whether to look the status up: the interval is over, or the entry may have been admitted. */
  isDue(now: number, head: number): boolean {
    return !this.#isOver && (now - this.#updatedAt >= UPDATE_INTERVAL_MS || head >= this.#admittedFromHead);
  }

  /** Called before the status is looked up. False if that is of no use: the stream is over, or its client does not read. */
  prepareUpdate(now: number): boolean {
    if (this.#isOver) return false;
    if (now - this.#startedAt >= this.#times.lifeMs) {
      this.end('come back');
      return false;
    }
    if (this.sink.backlogBytes() > BACKLOG_BYTES_MAX) {
      this.#stuckSince ??= now;
      if (now - this.#stuckSince >= HEARTBEATS_UNREAD_MAX * this.#times.heartbeatMs) this.sink.cut();
      return false;
    }
    this.#stuckSince = undefined;
    this.#isIntervalOver = now - this.#updatedAt >= UPDATE_INTERVAL_MS;
    if (this.#isIntervalOver) this.#updatedAt = now;
    if (now - this.#sentAt >= this.#times.heartbeatMs) this.#send(comment('here'), now);
    return true;
  }

  update(status: QueueStatus, head: number): void {
    if (this.#isOver) return;
    this.#admittedFromHead = admittedFromHead(status, head);
    if (this.#isIntervalOver || status.status !== this.#sentStatus) this.#sendChange(status);
  }

  /** Ends the stream with a comment. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.sink.send(comment(reason));
    this.sink.end();
    setTimeout(this.sink.cut, END_TIMEOUT_MS).unref();
  }

  #sendChange(status: QueueStatus): void {
    const shown = noFurtherBack(status, this.#sent?.position);
    const id = eventIdOf(shown);
    if (id.text === this.#sent?.text) return;
    this.#send(queueStatusEvent(shown, id), performance.now());
    this.#sent = id;
    this.#sentStatus = shown.status;
    if (shown.status === 'EXPIRED') this.end('over');
  }

  #send(text: string, now: number): void {
    this.sink.send(text);
    this.#sentAt = now;
  }
}

/** The head passes at least one sequence for each entry ahead. */
function admittedFromHead({ status, position }: QueueStatus, head: number): number {
  if (status !== 'WAITING') return Number.POSITIVE_INFINITY;
  return position === undefined ? Number.NEGATIVE_INFINITY : head + position - 1;
}
