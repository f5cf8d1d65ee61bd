import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type Code, Refusal } from '#domain/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const DOCUMENT = 'https://github.com/frontrow/frontrow/blob/main/docs/reference/errors.md';

type Problem = { readonly status: number; readonly title: string; readonly detail: string };

/** The status, title and detail of each code. `docs/reference/errors.md` says for each what happened and what to do. */
export const problems = {
  'validation-failed': { status: 400, title: 'The request is not valid', detail: 'errors names each invalid field.' },
  'amount-out-of-range': { status: 400, title: 'Amount out of range', detail: 'Choose an amount from min to max.' },
  'idempotency-key-missing': {
    status: 400,
    title: 'Idempotency-Key missing',
    detail: 'Send a new key for each new command, and the same key to repeat one.',
  },
  'webhook-url-refused': {
    status: 400,
    title: 'Webhook URL refused',
    detail: 'Use an https URL whose host name resolves to public addresses only.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    detail: 'Send Authorization: Bearer with a valid access token or admin key.',
  },
  'queue-token-missing': { status: 401, title: 'Queue token missing', detail: 'Join the queue and send Queue-Token.' },
  'queue-token-invalid': {
    status: 401,
    title: 'Queue token invalid',
    detail: 'It was altered, or it belongs to another concert or user. Join the queue of this concert.',
  },
  'insufficient-balance': { status: 402, title: 'Balance too low', detail: 'Charge the balance and pay again.' },
  forbidden: { status: 403, title: 'Access denied', detail: 'You can read and change only your own resources.' },
  'not-admitted': {
    status: 403,
    title: 'Not admitted yet',
    detail: 'Your queue entry is still waiting. Poll until its status is ACTIVE.',
  },
  'session-expired': { status: 403, title: 'Session expired', detail: 'Join the queue again.' },
  'challenge-required': {
    status: 403,
    title: 'Challenge required',
    detail: 'Get a challenge of this queue, solve it, and join with Challenge-Solution.',
  },
  'join-refused': { status: 403, title: 'Join refused', detail: 'A check of the operator refused it.' },
  'sales-not-open': { status: 403, title: 'Sales are not open yet', detail: 'Try again at opensAt.' },
  'sales-closed': { status: 403, title: 'Sales are closed', detail: 'The last date has begun.' },
  'refund-closed': { status: 403, title: 'Refunds are closed', detail: 'The reservation stays paid.' },
  'route-not-found': { status: 404, title: 'Route not found', detail: 'See /docs for the routes.' },
  'concert-not-found': { status: 404, title: 'Concert not found', detail: 'List the concerts.' },
  'date-not-found': { status: 404, title: 'Date not found', detail: 'List the dates of the concert.' },
  'seat-not-found': { status: 404, title: 'Seat not found', detail: 'List the seats of the date.' },
  'seat-plan-not-found': {
    status: 404,
    title: 'Seat plan not found',
    detail: 'The seats of this concert are numbered only.',
  },
  'reservation-not-found': {
    status: 404,
    title: 'Reservation not found',
    detail: 'It does not exist, or it is not yours.',
  },
  'payment-not-found': { status: 404, title: 'Payment not found', detail: 'It does not exist, or it is not yours.' },
  'user-not-found': { status: 404, title: 'User not found', detail: 'Create a user first.' },
  'webhook-not-found': { status: 404, title: 'Webhook endpoint not found', detail: 'List the endpoints.' },
  'delivery-not-found': { status: 404, title: 'Delivery not found', detail: 'List the deliveries of the endpoint.' },
  'seat-taken': { status: 409, title: 'Seat taken', detail: 'Choose other seats than seatNumbers.' },
  'no-adjacent-seats': {
    status: 409,
    title: 'Not enough adjacent seats',
    detail: 'Ask for fewer seats or another section, or choose single seats: left says how many there are.',
  },
  'seat-stranded': {
    status: 409,
    title: 'An orphan seat would be left',
    detail: 'Choose seats that do not leave seatNumbers single between taken seats.',
  },
  'seat-limit-reached': { status: 409, title: 'Seat limit reached', detail: 'The limit counts held and paid seats.' },
  'hold-limit-reached': {
    status: 409,
    title: 'Hold limit reached',
    detail: 'The limit counts all holds within withinSeconds, released ones included.',
  },
  'already-paid': { status: 409, title: 'Reservation already paid', detail: 'The seats are yours.' },
  'already-cancelled': {
    status: 409,
    title: 'Reservation already cancelled',
    detail: 'If it was paid, its price was refunded to the balance.',
  },
  'reservation-not-held': { status: 409, title: 'Reservation not held', detail: 'It was cancelled. Reserve again.' },
  'hold-at-ceiling': { status: 409, title: 'Hold cannot be extended further', detail: 'Pay before heldUntil.' },
  'webhook-limit-reached': {
    status: 409,
    title: 'Webhook endpoint limit reached',
    detail: 'Delete an endpoint that is no longer needed.',
  },
  'delivery-pending': {
    status: 409,
    title: 'Delivery pending',
    detail: 'It is retried automatically: see nextAttemptAt.',
  },
  'idempotency-key-in-use': {
    status: 409,
    title: 'The same request is still running',
    detail: 'Repeat it in a moment.',
  },
  'hold-expired': { status: 410, title: 'Hold expired', detail: 'Nothing was charged. Reserve again.' },
  'body-too-large': { status: 413, title: 'Request body too large', detail: 'No call needs a body of this size.' },
  'media-type-unsupported': {
    status: 415,
    title: 'Media type not supported',
    detail: 'Send Content-Type: application/json.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key used for another request',
    detail: 'Send a new key for each new command.',
  },
  'rate-limited': { status: 429, title: 'Rate limit exceeded', detail: 'Try again after Retry-After seconds.' },
  internal: { status: 500, title: 'Internal server error', detail: 'Report the instance to the operator.' },
  'queue-full': { status: 503, title: 'Queue full', detail: 'Try to join again after Retry-After seconds.' },
  busy: { status: 503, title: 'Service busy', detail: 'Nothing was done. Try again after Retry-After seconds.' },
  unavailable: {
    status: 503,
    title: 'Service temporarily unavailable',
    detail: 'Try again after Retry-After seconds, with the same Idempotency-Key if you sent one.',
  },
} as const satisfies Record<Code, Problem>;

/** The URL of the documentation of a code. */
export function typeOf(code: Code): string {
  return `${DOCUMENT}#${code}`;
}

/** Answers every error. The one error handler of the server. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const refused = asRefusal(error);
  if (refused.code === 'internal') request.log.error({ err: error }, 'request failed');
  else if (refused.cause !== undefined)
    request.log.warn({ err: refused }, 'request refused, a store is unavailable or busy');
  const { status, headers, body } = problemOf(refused, request.id);
  // No hook runs for a request that cannot be parsed.
  if (!reply.hasHeader('x-request-id')) reply.headers(headersOfAny(request.id));
  // Serialized here, past the schemas, which would cost thousands of refusals a second at an opening.
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

/** Answers what is not HTTP. Written to the socket, because there is no request. */
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
      // An error of the whole value has the path '/'.
      path: `${part}${instancePath === '/' ? '' : instancePath}`,
      message: message ?? '',
    }));
    return new Refusal('validation-failed', { errors });
  }
  return asFrameworkRefusal(error as Partial<FastifyError>);
}

/** The errors of Fastify itself, by their status. */
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
