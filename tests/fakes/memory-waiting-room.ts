import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { admissible, type Place, type PlaceId, type QueueClaim } from '#domain/queue.ts';
import type { WaitingRoom } from '#ports/waiting-room.ts';
import type { MemoryClock } from './memory-clock.ts';

const SETTLE_MS = 10_000;
const TURNOVER_WINDOW_MS = 60_000;
/** Six bytes in base64url, as in every queue token. */
const EPOCH = 'memory-1';

type Session = { readonly claim: QueueClaim; ends: number; granted: number };

type Line = {
  drawn: number;
  /** In the order of the numbers drawn, because that is the order of joining. */
  readonly waiting: Map<UserId, QueueClaim>;
  readonly sessions: Map<UserId, Session>;
  /** When sessions ended, for the turnover. */
  readonly ended: number[];
};

export function memoryWaitingRoom(clock: MemoryClock): WaitingRoom {
  const lines = new Map<ConcertId, Line>();

  function lineOf(concertId: ConcertId): Line {
    const line = lines.get(concertId) ?? { drawn: 0, waiting: new Map(), sessions: new Map(), ended: [] };
    lines.set(concertId, line);
    return line;
  }

  function sessionOf(place: PlaceId): Session | undefined {
    const session = lineOf(place.concertId).sessions.get(place.userId);
    return session !== undefined && isOf(session.claim, place) && session.ends > clock.now() ? session : undefined;
  }

  function locate(place: PlaceId): Place {
    const { waiting, ended } = lineOf(place.concertId);
    const claim = waiting.get(place.userId);
    if (claim !== undefined && isOf(claim, place)) {
      const recent = ended.filter((at) => at > clock.now() - TURNOVER_WINDOW_MS);
      return {
        status: 'WAITING',
        position: [...waiting.keys()].indexOf(place.userId) + 1,
        turnover: (recent.length * 1_000) / TURNOVER_WINDOW_MS,
      };
    }
    const session = sessionOf(place);
    return session === undefined ? { status: 'EXPIRED' } : { status: 'ACTIVE', expiresAt: new Date(session.ends) };
  }

  return {
    async join(concertId, userId, { waitingMax }) {
      const line = lineOf(concertId);
      const known = line.waiting.get(userId) ?? line.sessions.get(userId)?.claim;
      const place = known === undefined ? undefined : locate(known);
      if (known !== undefined && place !== undefined && place.status !== 'EXPIRED') {
        return { claim: known, place, fresh: false };
      }
      if (line.waiting.size >= waitingMax) throw new Refusal('queue-full', { retryAfterSeconds: 30 });
      line.sessions.delete(userId);
      line.drawn += 1;
      const claim = { userId, concertId, sequence: line.drawn, epoch: EPOCH, joinedAt: new Date(clock.now()) };
      line.waiting.set(userId, claim);
      return { claim, place: locate(claim), fresh: true };
    },

    async find(place) {
      return locate(place);
    },

    async settle(place) {
      const found = locate(place);
      const session = sessionOf(place);
      if (session !== undefined) {
        session.ends = Math.max(session.ends, Math.min(clock.now(), session.granted) + SETTLE_MS);
      }
      return found;
    },

    async extend(place, milliseconds) {
      const session = sessionOf(place);
      if (session === undefined) return;
      session.granted = Math.max(session.granted, clock.now() + milliseconds);
      session.ends = Math.max(session.ends, session.granted);
    },

    async leave(place) {
      const { waiting, sessions, ended } = lineOf(place.concertId);
      const claim = waiting.get(place.userId);
      if (claim !== undefined && isOf(claim, place)) waiting.delete(place.userId);
      if (sessionOf(place) === undefined) return;
      sessions.delete(place.userId);
      ended.push(clock.now());
    },

    async admit(concertId, { activeMax, sessionSeconds }) {
      const { waiting, sessions, ended } = lineOf(concertId);
      const lapsed = [...sessions].filter(([, { ends }]) => ends <= clock.now());
      for (const [userId] of lapsed) {
        sessions.delete(userId);
        ended.push(clock.now());
      }
      const next = [...waiting].slice(0, admissible(sessions.size, activeMax, waiting.size));
      const ends = clock.now() + sessionSeconds * 1_000;
      for (const [userId, claim] of next) {
        waiting.delete(userId);
        sessions.set(userId, { claim, ends, granted: ends });
      }
      return { admitted: next.length, expired: lapsed.length, active: sessions.size, waiting: waiting.size };
    },
  };
}

function isOf(claim: QueueClaim, place: PlaceId): boolean {
  return claim.sequence === place.sequence && claim.epoch === place.epoch;
}
