import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type Code, Refusal } from '#domain/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const DOCUMENT = 'https://github.com/frontrow/frontrow/blob/main/docs/errors.md';

type Problem = { readonly status: number; readonly title: string; readonly detail: string };

/** What clients are told for each code. `docs/errors.md` has a section for each: what happened, and what to do next. */
export const problems = {
  'validation-failed': { status: 400, title: 'The request is not valid', detail: 'See errors for each field.' },
  'amount-out-of-range': {
    status: 400,
    title: 'The amount is out of range',
    detail: 'Choose an amount from min to max.',
  },
  'idempotency-key-missing': {
    status: 400,
    title: 'The Idempotency-Key is missing',
    detail: 'Send a new key for each new command, and the same key when you repeat one.',
  },
  'webhook-url-refused': {
    status: 400,
    title: 'Nothing is sent to this URL',
    detail: 'Give an https URL whose name leads to public addresses only.',
  },
  unauthenticated: {
    status: 401,
    title: 'Who are you?',
    detail: 'Send Authorization: Bearer and a valid access token.',
  },
  'queue-token-missing': {
    status: 401,
    title: 'The queue token is missing',
    detail: 'Join the line and send Queue-Token.',
  },
  'queue-token-invalid': {
    status: 401,
    title: 'The queue token is not valid here',
    detail: 'It was altered, or it is for another concert or user. Join the line of this concert.',
  },
  'insufficient-balance': { status: 402, title: 'The balance is too low', detail: 'Charge the balance and pay again.' },
  forbidden: { status: 403, title: 'This is not yours', detail: 'You can see and change only what is your own.' },
  'not-admitted': {
    status: 403,
    title: 'It is not your turn yet',
    detail: 'You are in line. Poll until you are ACTIVE.',
  },
  'session-expired': { status: 403, title: 'Your session has ended', detail: 'Join the line again.' },
  'sales-not-open': { status: 403, title: 'Sales have not opened', detail: 'Come back at opensAt.' },
  'sales-closed': { status: 403, title: 'Sales are over', detail: 'The last date has begun.' },
  'refund-closed': { status: 403, title: 'Refunds are closed', detail: 'The reservation stays paid.' },
  'route-not-found': { status: 404, title: 'There is no such call', detail: 'See /docs for the calls there are.' },
  'concert-not-found': { status: 404, title: 'There is no such concert', detail: 'List the concerts.' },
  'date-not-found': { status: 404, title: 'There is no such date', detail: 'List the dates of the concert.' },
  'seat-not-found': { status: 404, title: 'There is no such seat', detail: 'List the seats of the date.' },
  'seat-plan-not-found': { status: 404, title: 'The concert has no seat plan', detail: 'Its seats are numbered only.' },
  'reservation-not-found': { status: 404, title: 'There is no such reservation', detail: 'Or it is not yours.' },
  'payment-not-found': { status: 404, title: 'There is no such payment', detail: 'Or it is not yours.' },
  'user-not-found': { status: 404, title: 'There is no such user', detail: 'Make a user first.' },
  'webhook-not-found': { status: 404, title: 'There is no such endpoint', detail: 'List the endpoints.' },
  'delivery-not-found': { status: 404, title: 'There is no such delivery', detail: 'List those of the endpoint.' },
  'seat-taken': { status: 409, title: 'The seat is taken', detail: 'Choose other seats than seatNumbers.' },
  'no-adjacent-seats': {
    status: 409,
    title: 'There are not as many seats side by side',
    detail: 'Ask for fewer, elsewhere, or choose single seats: left is how many there are.',
  },
  'seat-stranded': {
    status: 409,
    title: 'A single seat would be left',
    detail: 'Choose seats that do not leave seatNumbers alone between seats that are taken.',
  },
  'seat-limit-reached': {
    status: 409,
    title: 'You have as many seats as allowed',
    detail: 'The limit counts seats held and paid.',
  },
  'already-paid': { status: 409, title: 'The reservation is paid', detail: 'The seats are yours.' },
  'already-cancelled': {
    status: 409,
    title: 'The reservation is cancelled',
    detail: 'If it was paid, its price is back on the balance.',
  },
  'reservation-not-held': {
    status: 409,
    title: 'The reservation is not held',
    detail: 'It was cancelled. Reserve again.',
  },
  'hold-at-ceiling': {
    status: 409,
    title: 'The hold cannot be extended any further',
    detail: 'Pay before heldUntil.',
  },
  'webhook-limit-reached': {
    status: 409,
    title: 'There are as many endpoints as allowed',
    detail: 'Delete one that is not needed any more.',
  },
  'delivery-pending': {
    status: 409,
    title: 'The delivery is under way',
    detail: 'It goes on by itself: see nextAttemptAt.',
  },
  'idempotency-key-in-use': {
    status: 409,
    title: 'The same request is still running',
    detail: 'Repeat it in a moment.',
  },
  'hold-expired': { status: 410, title: 'The hold has run out', detail: 'Nothing was charged. Reserve again.' },
  'body-too-large': { status: 413, title: 'The body is too large', detail: 'No call needs so much.' },
  'media-type-unsupported': {
    status: 415,
    title: 'The body is not JSON',
    detail: 'Send Content-Type: application/json.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    detail: 'Send a new key for each new command.',
  },
  'rate-limited': { status: 429, title: 'Too many requests', detail: 'Wait for Retry-After seconds.' },
  internal: { status: 500, title: 'Something is wrong on our side', detail: 'Tell the operator the instance.' },
  'queue-full': { status: 503, title: 'The line is full', detail: 'Try to join again after Retry-After seconds.' },
  busy: { status: 503, title: 'Too busy just now', detail: 'Nothing was done. Repeat after Retry-After seconds.' },
  unavailable: {
    status: 503,
    title: 'Not available just now',
    detail: 'Repeat after Retry-After seconds, with the same Idempotency-Key if you sent one.',
  },
} as const satisfies Record<Code, Problem>;

/** Where the documentation explains a code. */
export function typeOf(code: Code): string {
  return `${DOCUMENT}#${code}`;
}

/** The one place where anything that went wrong becomes an answer. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const refused = asRefusal(error);
  if (refused.code === 'internal') request.log.error({ err: error }, 'a request failed');
  else if (refused.cause !== undefined) request.log.warn({ err: refused }, 'a request could not be served');
  const { status, headers, body } = problemOf(refused, request.id);
  // What cannot be read passes no hook that would set them.
  if (!reply.hasHeader('x-request-id')) reply.headers(headersOfAny(request.id));
  // Written here: nothing of it is left to a schema, and a crowd that comes too late has thousands of them in a second.
  return reply.status(status).headers(headers).send(JSON.stringify(body));
}

function problemOf({ code, facts }: Refusal, requestId: string) {
  const { status, title, detail } = problems[code];
  const told: Record<string, unknown> = { ...facts };
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  if (typeof told.retryAfterSeconds === 'number') headers['retry-after'] = String(told.retryAfterSeconds);
  if (status === 401) headers['www-authenticate'] = code === 'unauthenticated' ? 'Bearer' : 'Queue-Token';
  return { status, headers, body: { type: typeOf(code), title, status, code, detail, instance: requestId, ...told } };
}

const headersOfAny = (requestId: string) => ({ 'x-content-type-options': 'nosniff', 'x-request-id': requestId });

/** What could not be read as HTTP: answered by hand, because there is no request to answer to. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const message = UNREADABLE[error.code ?? ''] ?? 'is not HTTP';
  const refused = new Refusal('validation-failed', { errors: [{ path: 'request', message }] });
  const requestId = randomUUID();
  const { status, headers, body } = problemOf(refused, requestId);
  const content = JSON.stringify(body);
  const lines = Object.entries({
    ...headersOfAny(requestId),
    ...headers,
    connection: 'close',
    'content-length': Buffer.byteLength(content),
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${content}`);
}

const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'has a URL or headers that are too long',
  ERR_HTTP_REQUEST_TIMEOUT: 'did not arrive in time',
};

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const part = error.validationContext ?? 'request';
    const errors = error.validation.map(({ instancePath, message }) => ({
      // A fault of the whole is at '/', as if it were at a field without a name.
      path: `${part}${instancePath === '/' ? '' : instancePath}`,
      message: message ?? '',
    }));
    return new Refusal('validation-failed', { errors });
  }
  return asFrameworkRefusal(error as Partial<FastifyError>);
}

/** Fastify's own complaints about a request, by their status. */
function asFrameworkRefusal({ statusCode = 500, message = '', code }: Partial<FastifyError>): Refusal {
  if (statusCode === 413) return new Refusal('body-too-large');
  if (statusCode === 415) return new Refusal('media-type-unsupported');
  if (statusCode === 503) return new Refusal('unavailable', { retryAfterSeconds: 1 });
  if (statusCode >= 500) return new Refusal('internal');
  const path = code === 'FST_ERR_BAD_URL' || statusCode === 414 ? 'url' : 'body';
  return new Refusal('validation-failed', { errors: [{ path, message }] });
}

export function answerRouteNotFound(request: FastifyRequest, reply: FastifyReply) {
  return answerProblem(new Refusal('route-not-found'), request, reply);
}
