import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Authenticate } from './access-token-guard.ts';
import type { Guard } from './guard.ts';
import type { QueueTokens } from './queue-token.ts';

// An `Authorization` header beside the queue token is checked as well.
const refusals = ['queue-token-missing', 'queue-token-invalid', 'unauthenticated'] as const;

/** Requires a genuine queue token for the user and the concert of the request, whatever the state of its queue entry. */
export function queueTokenGuard(tokens: QueueTokens, authenticate: Authenticate) {
  return {
    onRequest: (request) => requireGenuine(tokens, authenticate, request, request.headers['queue-token']),
    security: [{ queueToken: [] }],
    refusals,
  } as const satisfies Guard;
}

/** The same. The token may be in the query, because an EventSource sends no headers of its page. */
export function queueTokenInQueryGuard(tokens: QueueTokens, authenticate: Authenticate) {
  return {
    onRequest(request) {
      const { token } = request.query as { token?: unknown };
      return requireGenuine(tokens, authenticate, request, request.headers['queue-token'] ?? token);
    },
    security: [{ queueToken: [] }, { queueTokenInQuery: [] }],
    refusals,
  } as const satisfies Guard;
}

function requireGenuine(
  tokens: QueueTokens,
  authenticate: Authenticate,
  request: FastifyRequest,
  token: unknown,
): void | Promise<void> {
  if (typeof token !== 'string' || token === '') throw new Refusal('queue-token-missing');
  const entry = tokens.verify(token);
  if (entry === undefined) throw new Refusal('queue-token-invalid');
  if (request.headers.authorization === undefined) return accept(request, entry);
  return authenticate(request).then(() => {
    if (request.userId !== entry.userId) throw new Refusal('queue-token-invalid');
    accept(request, entry);
  });
}

/** Takes the queue entry, unless the path names another concert. */
function accept(request: FastifyRequest, entry: QueueEntry): void {
  const { concertId } = request.params as { concertId?: string };
  if (concertId !== undefined && concertId.toLowerCase() !== entry.concertId) throw new Refusal('queue-token-invalid');
  request.queueEntry = entry;
  request.userId = entry.userId;
}
