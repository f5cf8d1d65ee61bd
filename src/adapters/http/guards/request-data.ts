import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { UserId } from '#domain/ids.ts';
import type { EntryState, QueueEntry } from '#domain/queue/queue.ts';

/** What the queue said about a session, or why it could not be asked. */
export type SessionLookUp = { readonly state: EntryState } | { readonly failure: unknown };

declare module 'fastify' {
  interface FastifyRequest {
    /** The user of the access token or of the queue token. */
    userId: UserId | undefined;
    /** The payload of the queue token. */
    queueEntry: QueueEntry | undefined;
    /** Written by the guard of a command in a session, before the body is validated. */
    session: SessionLookUp | undefined;
    /** The id of the operator's key. */
    adminKeyId: string | undefined;
  }
}

/** Declares what guards write on a request, so that all requests have the same shape. */
export function decorateRequests(api: Pick<FastifyInstance, 'decorateRequest'>): void {
  api.decorateRequest('userId', undefined);
  api.decorateRequest('queueEntry', undefined);
  api.decorateRequest('session', undefined);
  api.decorateRequest('adminKeyId', undefined);
}

/** The user, behind the guard of an access token or of a queue token. */
export function userIdOf(request: FastifyRequest): UserId {
  if (request.userId === undefined) throw new RangeError('this route has no guard that identifies a user');
  return request.userId;
}

/** The payload of the queue token, behind its guard. */
export function queueEntryOf(request: FastifyRequest): QueueEntry {
  if (request.queueEntry === undefined) throw new RangeError('this route has no guard for a queue token');
  return request.queueEntry;
}
