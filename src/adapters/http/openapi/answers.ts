import { z } from 'zod';

// How a route declares its answers: `response: { 200: answer(…), 304: noContent(…) }`.

/** The headers of answers in the OpenAPI document. Every answer that lists a required header carries it. */
export const answerHeaders = {
  'X-Request-Id': {
    required: true,
    description: 'The id of the request: the one that the client sent, if it is valid, or a new one',
    schema: { type: 'string', pattern: '^[\\w.-]{1,64}$', examples: ['01939c63-0b52-7aa4-8d1c-6f2e9b7a4c30'] },
  },
  'Retry-After': {
    required: true,
    description: 'Seconds after which to try again',
    schema: { type: 'integer', minimum: 1, examples: [13] },
  },
  RateLimit: {
    description:
      'Requests left in this window (r), and seconds until it ends (t); on every 429, and on answers to commands unless Redis is unavailable',
    schema: { type: 'string', pattern: '^"\\w+";r=\\d+;t=\\d+$', examples: ['"reserveSeats";r=59;t=42'] },
  },
  'RateLimit-Policy': {
    description: 'Requests allowed (q) per window of this many seconds (w)',
    schema: { type: 'string', pattern: '^"\\w+";q=\\d+;w=\\d+$', examples: ['"reserveSeats";q=60;w=60'] },
  },
  'WWW-Authenticate': {
    required: true,
    description: 'Which credential is missing: Bearer or Queue-Token',
    schema: { type: 'string', enum: ['Bearer', 'Queue-Token'] },
  },
  ETag: {
    required: true,
    description: 'Identifies this content; send it as If-None-Match to get 304 while nothing has changed',
    schema: { type: 'string', pattern: '^"[\\w-]+"$', examples: ['"o2Yx0yq1m3nD4eR5sT6uVw"'] },
  },
  Link: {
    description: 'The next page, as rel="next"; absent on the last page',
    schema: { type: 'string', examples: ['</v1/payments?limit=20&cursor=MDE5MzljNjE>; rel="next"'] },
  },
  'Idempotency-Replayed': {
    description: 'Present when this repeats the first answer to the same command',
    schema: { type: 'string', const: 'true' },
  },
} as const;

export type AnswerHeader = keyof typeof answerHeaders;

/** A JSON answer, and the headers that it carries besides those of its guards and of every answer. */
export function answer<T extends z.ZodType>(schema: T, description: string, ...headers: readonly AnswerHeader[]) {
  return { description, headers, content: { 'application/json': { schema } } };
}

/** A stream of server-sent events. The schema is that of its whole text. */
export function eventStream<T extends z.ZodType>(schema: T, description: string) {
  return { description, headers: [], content: { 'text/event-stream': { schema } } };
}

/** A streamed export in each of these media types. The schemas are those of the whole text. */
export function recordStream(forms: Readonly<Record<string, z.ZodType>>, description: string) {
  const content = Object.fromEntries(Object.entries(forms).map(([type, schema]) => [type, { schema }]));
  return { description, headers: [], content };
}

/** An answer without a body. */
export function noContent(description: string, ...headers: readonly AnswerHeader[]) {
  return z.undefined().meta({ description, headers });
}
