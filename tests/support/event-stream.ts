import type { Said } from './client/client.ts';
import { type EventParser, eventParser } from './event-parser.ts';

/** An open stream of standings. */
export type EventStream = Omit<EventParser<Said>, 'feed'> & {
  readonly status: number;
  readonly headers: Headers;
  /** When each event came, as `performance.now` has it. */
  readonly times: readonly number[];
  /** Resolves when the server has ended it, or was ended. */
  readonly ended: Promise<void>;
  close(): void;
};

/** Follows a stream as an EventSource does, headers added. An answer that is not a stream has no events. */
export async function openStream(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: leaving.signal });
  const times: number[] = [];
  const parser = eventParser<Said>(() => times.push(performance.now()));
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const ended = isStream ? read(response, parser) : Promise.resolve();
  return {
    status: response.status,
    headers: response.headers,
    events: parser.events,
    comments: parser.comments,
    get retry() {
      return parser.retry;
    },
    times,
    ended,
    close: () => leaving.abort(),
  };
}

async function read({ body }: Response, parser: EventParser<Said>): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const piece of body ?? []) parser.feed(decoder.decode(piece, { stream: true }));
  } catch {
    // Cut off, by either side.
  }
}
