import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import { reservationId } from '#domain/ids.ts';
import { type EntryState, type QueueEntry, requireActive } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { type Hook, hook } from './hook.ts';
import { requestKeyOf } from './idempotency.ts';
import type { Identity } from './identity.ts';
import type { QueueTokens } from './queue-token.ts';
import { sessionOnRecord } from './session-on-record.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the queue token says, once `requireToken` has let the request pass. */
    entry: QueueEntry | undefined;
    /** Where its holder stands, once `askAhead` has asked. */
    place: Promise<EntryState> | undefined;
  }
}

type AsyncHook = (request: FastifyRequest) => Promise<void>;

/** The one place where the line is checked. */
export type QueuePass = {
  /** Lets requests with a genuine queue token for this user and concert pass, wherever in line it stands. */
  readonly requireToken: Hook;
  /** The same, and the token may be in the query: an EventSource sends no headers of ours. */
  readonly requireTokenOrQuery: Hook;
  /**
   * Behind `requireToken`, in front of what has to be waited for: asks the line already, so that whichever of those below comes
   * later only hears the answer. Lets everybody pass.
   */
  readonly askAhead: Hook;
  /**
   * Behind `requireToken`, for a command, once its body is validated: lets only those pass who are in, and keeps their session open
   * while the request is under way. A session that has ended is no obstacle to a command that was
   * answered before, because paying ends the session and its answer may have been lost on the way.
   */
  readonly requireActiveOrRepeated: AsyncHook;
  /**
   * The same for a list, and while the line cannot be reached those pass who are on record as being in. The record is behind
   * the line: seconds after a session has ended its holder may still look, and so may who was in when Redis lost its memory and
   * has not been heard of since, though they wait. Nobody passes who never was in.
   */
  readonly requireActiveToRead: AsyncHook;
  /**
   * The same for a command on a hold, and a genuine token is enough while the line cannot be reached: that a seat is held
   * proves that its holder was let in, and what Postgres alone decides must not have to wait for Redis.
   */
  readonly requireActiveOrHolding: AsyncHook;
  /** The same for payment: who has paid already is told so. */
  readonly requireActiveToPay: AsyncHook;
};

export function queuePass(
  tokens: QueueTokens,
  ports: Pick<Ports, 'queue' | 'boxOffice' | 'queueRecords' | 'concerts'>,
  identity: Identity,
): QueuePass {
  const { queue, boxOffice } = ports;
  const isInOnRecord = sessionOnRecord(ports);

  const requireToken = hook((request) => requireGenuine(request, request.headers['queue-token']));

  const requireTokenOrQuery = hook((request) => {
    const { token } = request.query as { token?: unknown };
    return requireGenuine(request, request.headers['queue-token'] ?? token);
  });

  function requireGenuine(request: FastifyRequest, token: unknown): void | Promise<void> {
    if (typeof token !== 'string' || token === '') throw new Refusal('queue-token-missing');
    const entry = tokens.verify(token);
    if (entry === undefined) throw new Refusal('queue-token-invalid');
    if (request.headers.authorization !== undefined) return checkSameUser(request, entry);
    accept(request, entry);
  }

  /** A queue token is enough to say who asks; who says it twice must say the same. */
  async function checkSameUser(request: FastifyRequest, entry: QueueEntry): Promise<void> {
    await identity.check(request);
    if (request.user !== entry.userId) throw new Refusal('queue-token-invalid');
    accept(request, entry);
  }

  const askAhead = hook((request) => {
    request.place = queue.keepOpen(claimOf(request));
    // It is said where it is awaited, if the request gets so far.
    request.place.catch(() => {});
  });

  async function requireIn(request: FastifyRequest): Promise<void> {
    requireActive(await (request.place ?? queue.keepOpen(claimOf(request))));
  }

  async function requireInOrRepeated(request: FastifyRequest): Promise<void> {
    try {
      await requireIn(request);
    } catch (error) {
      await requireRepeated(request, error);
    }
  }

  /** Refuses as the line did, unless the command of a session that has ended was answered before. */
  async function requireRepeated(request: FastifyRequest, refused: unknown): Promise<void> {
    const ended = refused instanceof Refusal && refused.code === 'session-expired';
    const repeated = ended && (await boxOffice.knows(requestKeyOf(request, claimOf(request).userId)));
    if (!repeated) throw refused;
  }

  async function requireInToRead(request: FastifyRequest): Promise<void> {
    await requireIn(request).catch(async (error: unknown) => {
      if (!isAway(error) || !(await isInOnRecord(claimOf(request)))) throw error;
    });
  }

  async function requireInOrHolding(request: FastifyRequest): Promise<void> {
    await requireIn(request).catch(async (error: unknown) => {
      // Of the line alone: where it has said that the session is over, nobody else's being away makes it go on.
      if (!isAway(error)) await requireRepeated(request, error);
    });
  }

  async function requireInToPay(request: FastifyRequest): Promise<void> {
    await requireInOrHolding(request).catch(async (error: unknown) => {
      if (error instanceof Refusal && error.code === 'session-expired') await refuseIfPaid(request);
      throw error;
    });
  }

  /** Paying ends the session: to say no more than that to somebody who pays twice would send them back into the line. */
  async function refuseIfPaid(request: FastifyRequest): Promise<void> {
    const { reservationId: id } = request.body as { reservationId: string };
    const reservation = await boxOffice.findReservation(claimOf(request).userId, reservationId(id));
    if (reservation?.status === 'CONFIRMED') throw new Refusal('already-paid');
  }

  return {
    requireToken,
    requireTokenOrQuery,
    askAhead,
    requireActiveOrRepeated: requireInOrRepeated,
    requireActiveToRead: requireInToRead,
    requireActiveOrHolding: requireInOrHolding,
    requireActiveToPay: requireInToPay,
  };
}

/** The line cannot say who is in. */
function isAway(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'unavailable';
}

/** Takes the claim, unless the call is about another concert. */
function accept(request: FastifyRequest, entry: QueueEntry): void {
  const { concertId } = request.params as { concertId?: string };
  if (concertId !== undefined && concertId.toLowerCase() !== entry.concertId) throw new Refusal('queue-token-invalid');
  request.entry = entry;
}

/** The claim of a request that `requireToken` has let pass. */
export function claimOf(request: FastifyRequest): QueueEntry {
  if (request.entry === undefined) throw new RangeError('this route has no queue pass');
  return request.entry;
}
