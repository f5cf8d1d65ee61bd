import { hash } from 'node:crypto';
import type { QueueStatus } from '#domain/queue/queue.ts';
import { writeQueueStatus } from './write-queue-status.ts';

// A queue status as an event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).

/** Identifies a queue status, for the client and, when it reconnects, for us. */
export type EventId = {
  readonly text: string;
  readonly position: number | undefined;
};

const EVENT_ID = /^(\d{1,16}):(\d{0,16}):[\w-]{11}$/;

/** Another status has another id. `pollAfterSeconds` is left out, because it is random. */
export function eventIdOf({ pollAfterSeconds: _, ...status }: QueueStatus): EventId {
  const { entry, position } = status;
  const digest = hash('sha256', JSON.stringify(status), 'base64url').slice(0, 11);
  return { text: `${entry.sequence}:${position ?? ''}:${digest}`, position };
}

/** Reads the id of the last event that a client has seen. Undefined if it is not about this queue entry, or not ours. */
export function lastEventIdOf(header: string | undefined, sequence: number): EventId | undefined {
  const [text, own, position] = EVENT_ID.exec(header ?? '') ?? [];
  if (text === undefined || Number(own) !== sequence) return undefined;
  return { text, position: position ? Number(position) : undefined };
}

/** `retry` is the delay of a reconnect, in milliseconds. */
export function queueStatusEvent(status: QueueStatus, { text }: EventId): string {
  return `retry: ${status.pollAfterSeconds * 1_000}\nid: ${text}\ndata: ${writeQueueStatus(status)}\n\n`;
}

/** Invisible to clients. Keeps proxies from closing the connection as idle. */
export const comment = (text: string) => `: ${text}\n\n`;

/** For a client that has seen this status: only the delay of a reconnect. */
export const retryOnly = (status: QueueStatus) => `retry: ${status.pollAfterSeconds * 1_000}\n\n`;
