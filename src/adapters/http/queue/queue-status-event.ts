import { hash } from 'node:crypto';
import type { QueueStatus } from '#domain/queue/queue.ts';
import { writeStanding } from './write-queue-status.ts';

// A standing as an event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).

/** What an event's id says, to the client and, on its return, to us. */
export type EventId = {
  readonly text: string;
  readonly position: number | undefined;
};

const EVENT_ID = /^(\d{1,16}):(\d{0,16}):[\w-]{11}$/;

/** Names a standing: another one has another id. When to ask again is no part of it, for that is a throw of dice. */
export function eventIdOf({ pollAfterSeconds: _, ...queueStatus }: QueueStatus): EventId {
  const { entry, position } = queueStatus;
  const digest = hash('sha256', JSON.stringify(queueStatus), 'base64url').slice(0, 11);
  return { text: `${entry.sequence}:${position ?? ''}:${digest}`, position };
}

/** The id of the last event that a client has seen, if it was about this place. What else it sends is as good as nothing. */
export function lastEventIdOf(header: string | undefined, sequence: number): EventId | undefined {
  const [text, own, position] = EVENT_ID.exec(header ?? '') ?? [];
  if (text === undefined || Number(own) !== sequence) return undefined;
  return { text, position: position ? Number(position) : undefined };
}

/** `retry` is when to come back after the stream has ended, in milliseconds. */
export function standingEvent(queueStatus: QueueStatus, { text }: EventId): string {
  return `retry: ${queueStatus.pollAfterSeconds * 1_000}\nid: ${text}\ndata: ${writeStanding(queueStatus)}\n\n`;
}

/** What clients do not see: keeps those in between from taking the connection for dead. */
export const comment = (text: string) => `: ${text}\n\n`;

/** For who knows all there is to know: no event, only when to come back. */
export const retryOnly = (queueStatus: QueueStatus) => `retry: ${queueStatus.pollAfterSeconds * 1_000}\n\n`;
