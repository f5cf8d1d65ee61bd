import { noFurtherBack, type QueueEntry, type QueueStatus } from '#domain/queue/queue.ts';
import { comment, type EventId, eventIdOf, retryOnly, standingEvent } from './queue-status-event.ts';

/** Where a stream is written to. */
export type Sink = {
  send(text: string): void;
  /** How much of what was sent the network has not taken yet. */
  backlogBytes(): number;
  end(): void;
  /** Ends it without waiting for what was not taken. */
  cut(): void;
  /** Calls once nobody reads any more, whoever ended it; also if that is so already. */
  onGone(callback: () => void): void;
};

export type StandingStreamSettings = {
  readonly heartbeatMs: number;
  /** After so long a stream ends, and its client comes back. */
  readonly lifeMs: number;
};

/** What one client is told about its place. */
export type StandingStream = {
  readonly entry: QueueEntry;
  readonly sink: Sink;
  /** Whether to look where the place stands: because it is time to, or because its turn may have come. */
  isDue(now: number, frontier: number): boolean;
  /** Called when it is due, before looking. False if there is no use in looking: nobody reads, or its time is over. */
  attend(now: number): boolean;
  tell(queueStatus: QueueStatus, frontier: number): void;
  /** Ends it with a last word; whoever does not take that is cut off a second later. */
  end(reason: string): void;
};

/** Changes of position and estimate are told so often; nobody can make use of more. */
const LOOK_MS = 1_000;
/** Some ten standings: whoever is so far behind is told the next one when they have caught up. */
const BACKLOG_BYTES_MAX = 4_096;
/** Whoever has not read for so many heartbeats is gone. */
const HEARTBEATS_UNREAD_MAX = 2;
const LAST_WORD_MS = 1_000;

/** Begins by telling the standing, if it is not the one that the client has seen last. */
export function standingStream(
  sink: Sink,
  first: QueueStatus,
  seen: EventId | undefined,
  frontier: number,
  { heartbeatMs, lifeMs }: StandingStreamSettings,
): StandingStream {
  const { entry } = first;
  const began = performance.now();
  let told = seen;
  let toldStatus = first.status;
  let lookedAt = began;
  /** Whether it was time to, when it was last looked. */
  let isTime = true;
  let sentAt = began;
  let stuckSince: number | undefined;
  let turnAt = turnOf(first, frontier);
  let over = false;

  function send(text: string, now: number): void {
    sink.send(text);
    sentAt = now;
  }

  function end(reason: string): void {
    if (over) return;
    over = true;
    sink.send(comment(reason));
    sink.end();
    setTimeout(sink.cut, LAST_WORD_MS).unref();
  }

  function tellChange(queueStatus: QueueStatus): void {
    const known = noFurtherBack(queueStatus, told?.position);
    const id = eventIdOf(known);
    if (id.text === told?.text) return;
    send(standingEvent(known, id), performance.now());
    told = id;
    toldStatus = known.status;
    if (known.status === 'EXPIRED') end('over');
  }

  tellChange(first);
  if (told === seen) sink.send(retryOnly(first));

  return {
    entry,
    sink,
    isDue: (now, frontier) => !over && (now - lookedAt >= LOOK_MS || frontier >= turnAt),

    attend(now) {
      if (over) return false;
      if (now - began >= lifeMs) {
        end('come back');
        return false;
      }
      if (sink.backlogBytes() > BACKLOG_BYTES_MAX) {
        stuckSince ??= now;
        if (now - stuckSince >= HEARTBEATS_UNREAD_MAX * heartbeatMs) sink.cut();
        return false;
      }
      stuckSince = undefined;
      isTime = now - lookedAt >= LOOK_MS;
      if (isTime) lookedAt = now;
      if (now - sentAt >= heartbeatMs) send(comment('here'), now);
      return true;
    },

    tell(queueStatus, frontier) {
      if (over) return;
      turnAt = turnOf(queueStatus, frontier);
      if (isTime || queueStatus.status !== toldStatus) tellChange(queueStatus);
    },

    end,
  };
}

/** How far the front has to come before it can be the turn of a place: it passes one number at least for everybody before it. */
function turnOf({ status, position }: QueueStatus, frontier: number): number {
  if (status !== 'WAITING') return Number.POSITIVE_INFINITY;
  return position === undefined ? Number.NEGATIVE_INFINITY : frontier + position - 1;
}
