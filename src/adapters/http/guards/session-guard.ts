import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { ReservationId } from '#domain/ids.ts';
import { requireActive } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { continueWithoutSession } from '#use-cases/booking/continue-without-session.ts';
import type { Guard } from './guard.ts';
import { idempotencyKeyOf } from './idempotency.ts';
import { queueEntryOf, type SessionLookUp } from './request-data.ts';
import { sessionOnRecord } from './session-on-record.ts';

type Needed = Pick<Ports, 'queue' | 'boxOffice' | 'queueRecords' | 'concerts'>;

/**
 * The reservation whose hold a command is about. The hold proves that its owner was admitted, and Postgres alone decides
 * the command. So it passes while Redis is unavailable, and without a session while the user has the hold.
 */
export type OnHold = (request: FastifyRequest) => ReservationId;

const refusals = ['not-admitted', 'session-expired'] as const;

/** The one place where sessions are checked. All these guards stand behind the guard of the queue token. */
export type SessionGuards = {
  /**
   * Requires an active session, and keeps it open for the seconds that the command takes. Looks it up while the command is
   * counted, so that the request waits once for both; decides after validation, because a repeated command is known by its
   * validated body.
   */
  forCommand(onHold?: OnHold): Guard;
  /**
   * Requires an active session. While Redis is unavailable, the record in Postgres decides. The record is behind the queue:
   * a session that ended seconds ago still passes, and so does one that Redis has lost. An entry that was never admitted
   * does not pass.
   */
  readonly toRead: Guard;
};

export function sessionGuards(
  ports: Needed,
  commandLimit: Guard & Required<Pick<Guard, 'preValidation'>>,
): SessionGuards {
  const isOnRecord = sessionOnRecord(ports);

  async function lookUp(request: FastifyRequest): Promise<SessionLookUp> {
    try {
      return { state: await ports.queue.keepOpen(queueEntryOf(request)) };
    } catch (failure) {
      return { failure };
    }
  }

  return {
    forCommand: (onHold) => ({
      ...commandLimit,
      async preValidation(request, reply) {
        const [session] = await Promise.all([lookUp(request), commandLimit.preValidation(request, reply)]);
        request.session = session;
      },
      preHandler(request) {
        const session = sessionOf(request);
        if ('failure' in session) {
          if (onHold !== undefined && isUnavailable(session.failure)) return;
          throw session.failure;
        }
        const { state } = session;
        if (state.status === 'ACTIVE') return;
        return continueWithoutSession(ports, { state, request: idempotencyKeyOf(request), onHold: onHold?.(request) });
      },
      refusals: [...commandLimit.refusals, ...refusals],
    }),

    toRead: {
      async onRequest(request) {
        const session = await lookUp(request);
        if ('state' in session) return requireActive(session.state);
        if (!isUnavailable(session.failure) || !(await isOnRecord(queueEntryOf(request)))) throw session.failure;
      },
      refusals,
    },
  };
}

function sessionOf({ session }: FastifyRequest): SessionLookUp {
  if (session === undefined) throw new RangeError('the session was not looked up');
  return session;
}

function isUnavailable(failure: unknown): boolean {
  return failure instanceof Refusal && failure.code === 'unavailable';
}
