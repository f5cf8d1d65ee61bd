/** An event as an EventSource hands it to a page. */
export type StreamEvent<Data> = { readonly lastEventId: string; readonly data: Data };

/** What a stream of server-sent events has said so far. */
export type EventParser<Data> = {
  /** Takes the next piece, wherever it was cut. */
  feed(text: string): void;
  readonly events: readonly StreamEvent<Data>[];
  readonly comments: readonly string[];
  /** When to come back, in milliseconds. */
  readonly retry: number | undefined;
};

/** Reads a stream as browsers do: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. */
export function eventParser<Data>(onEvent: (event: StreamEvent<Data>) => void = () => {}): EventParser<Data> {
  const events: StreamEvent<Data>[] = [];
  const comments: string[] = [];
  let retry: number | undefined;
  let lastEventId = '';
  let data: string[] = [];
  let rest = '';

  function take(line: string): void {
    const [field = ''] = line.split(':', 1);
    const value = line.slice(field.length + 1).replace(/^ /, '');
    if (line === '') dispatch();
    else if (field === '') comments.push(value);
    else if (field === 'data') data.push(value);
    else if (field === 'id') lastEventId = value;
    else if (field === 'retry') retry = Number(value);
    else throw new RangeError(`no field of ours: ${line}`);
  }

  function dispatch(): void {
    if (data.length === 0) return;
    const event = { lastEventId, data: JSON.parse(data.join('\n')) as Data };
    data = [];
    events.push(event);
    onEvent(event);
  }

  return {
    feed(text) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    },
    events,
    comments,
    get retry() {
      return retry;
    },
  };
}
