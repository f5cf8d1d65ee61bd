import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

export type Posting = {
  readonly url: URL;
  /** JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** False: a connection of its own, never reused. */
  readonly agent: http.Agent | false;
  readonly lookup?: LookupFunction;
};

export type Answer = { readonly status: number; readonly retryAfterSeconds?: number };

/** Limits the answer: only its status counts. */
const ANSWER_BYTES_MAX = 65_536;

/** Posts once, and follows no redirect. Rejects if there is no answer. */
export function postJson({ url, body, headers, ...options }: Posting): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let answer: Answer | undefined;
  const end = (error?: Error) => {
    if (answer === undefined) reject(error ?? new Error('the connection was closed'));
    else resolve(answer);
  };
  const content = Buffer.from(body);
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': content.length, ...headers },
    ...options,
  });
  request.on('error', end).on('close', () => end());
  request.on('response', (response) => {
    answer = answerOf(response);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) request.destroy();
    });
    response.on('error', end).on('close', () => end());
  });
  request.end(content);
  return promise;
}

function answerOf({ statusCode = 0, headers }: http.IncomingMessage): Answer {
  const seconds = Number(headers['retry-after']);
  return { status: statusCode, ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}) };
}
