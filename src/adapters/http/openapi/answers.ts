import { z } from 'zod';
import { PROBLEM_TYPE, problems } from '#adapters/http/problems.ts';
import type { Code } from '#domain/errors.ts';

// What a route says about its answers: `response: { 200: answer(…), 304: noContent(…), ...refusals(…) }`.

/** Headers that answers carry, as the OpenAPI document describes them. A required one comes with every such answer. */
export const answerHeaders = {
  'X-Request-Id': {
    required: true,
    description: 'The id of this request: the one that was sent, if it is one, or a new one',
    schema: { type: 'string', pattern: '^[\\w.-]{1,64}$', examples: ['01939c63-0b52-7aa4-8d1c-6f2e9b7a4c30'] },
  },
  'Retry-After': {
    required: true,
    description: 'Seconds after which to ask again',
    schema: { type: 'integer', minimum: 1, examples: [13] },
  },
  RateLimit: {
    description:
      'How many more are let pass in this window (r), and for how many seconds it goes on (t); with every 429, and with answers to commands unless nobody could count',
    schema: { type: 'string', pattern: '^"\\w+";r=\\d+;t=\\d+$', examples: ['"reserveSeats";r=59;t=42'] },
  },
  'RateLimit-Policy': {
    description: 'How many are let pass (q) in a window of so many seconds (w)',
    schema: { type: 'string', pattern: '^"\\w+";q=\\d+;w=\\d+$', examples: ['"reserveSeats";q=60;w=60'] },
  },
  'WWW-Authenticate': {
    required: true,
    description: 'Which credential is missing: Bearer or Queue-Token',
    schema: { type: 'string', enum: ['Bearer', 'Queue-Token'] },
  },
  ETag: {
    required: true,
    description: 'Names this content; send it as If-None-Match to be told 304 while nothing has changed',
    schema: { type: 'string', pattern: '^"[\\w-]+"$', examples: ['"o2Yx0yq1m3nD4eR5sT6uVw"'] },
  },
  Link: {
    description: 'The next page, as rel="next"; absent on the last page',
    schema: { type: 'string', examples: ['</v1/payments?limit=20&cursor=MDE5MzljNjE>; rel="next"'] },
  },
  'Idempotency-Replayed': {
    description: 'Present when this is the first answer to the same request, given again',
    schema: { type: 'string', const: 'true' },
  },
} as const;

type Header = keyof typeof answerHeaders;

/** What every answer carries. */
export const ANY_ANSWER = ['X-Request-Id'] as const satisfies readonly Header[];
/** What any answer to a command that is counted may carry. */
export const COUNTED_ANSWER = ['RateLimit'] as const satisfies readonly Header[];

/** A JSON answer, and the headers it carries besides those of every answer. */
export function answer<T extends z.ZodType>(schema: T, description: string, ...headers: readonly Header[]) {
  return { description, headers, content: { 'application/json': { schema } } };
}

/** An answer that goes on as long as there is something to say; the shape is that of all its text. */
export function eventStream<T extends z.ZodType>(schema: T, description: string) {
  return { description, headers: [], content: { 'text/event-stream': { schema } } };
}

/** An answer that is written as it is read; the shape is that of all its text, in each of these forms. */
export function recordStream(forms: Readonly<Record<string, z.ZodType>>, description: string) {
  const content = Object.fromEntries(Object.entries(forms).map(([type, schema]) => [type, { schema }]));
  return { description, headers: [], content };
}

/** An answer without a body. */
export function noContent(description: string, ...headers: readonly Header[]) {
  return z.undefined().meta({ description, headers });
}

/** The refusals of the hooks in front of a route. */
export const refusedBy = {
  identity: ['unauthenticated'],
  adminKey: ['unauthenticated'],
  ownership: ['unauthenticated', 'forbidden'],
  /** A queue token is enough, but an Authorization that comes with it must be good too. */
  queueToken: ['queue-token-missing', 'queue-token-invalid', 'unauthenticated'],
  queue: ['queue-token-missing', 'queue-token-invalid', 'unauthenticated', 'not-admitted', 'session-expired'],
  idempotency: ['idempotency-key-missing', 'idempotency-key-in-use', 'idempotency-key-reused'],
  read: ['rate-limited'],
  command: ['rate-limited', 'body-too-large', 'media-type-unsupported'],
} as const satisfies Record<string, readonly Code[]>;

/** Any call may be refused so. */
const ALWAYS = ['validation-failed', 'busy', 'unavailable', 'internal'] as const satisfies readonly Code[];

/** The codes are documented only, not enforced: a refusal that a route forgot must reach the client all the same. */
const anyProblem = z.looseObject({});

/** The answers of a call that may be refused with these codes, one per status; the first of a status is its example. */
export function refusals(...codes: readonly Code[]) {
  const byStatus = Map.groupBy(new Set([...codes, ...ALWAYS]), (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const headers = headersOf(status);
      const description = codes.map((code) => `\`${code}\``).join(', ');
      return [status, { description, headers, codes, content: { [PROBLEM_TYPE]: { schema: anyProblem } } }];
    }),
  );
}

function headersOf(status: number): readonly Header[] {
  if (status === 401) return ['WWW-Authenticate'];
  if (status === 429) return ['Retry-After', 'RateLimit', 'RateLimit-Policy'];
  return status === 503 ? ['Retry-After'] : [];
}
