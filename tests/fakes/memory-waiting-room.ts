import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { admissible } from '#domain/policy.ts';
import type { Place, PlaceId, QueueClaim } from '#domain/queue.ts';
import type { WaitingRoom } from '#ports/waiting-room.ts';
import type { MemoryClock } from './memory-clock.ts';

const SETTLE_MS = 10_000;
const TURNOVER_WINDOW_MS = 60_000;
const ADMIT_BATCH_MAX = 1_000;
/** Six bytes in base64url, as in every queue token. */
const EPOCH = 'memory-1';

type Waiting = { readonly claim: QueueClaim; askedAt: number };
type Away = { readonly claim: QueueClaim; readonly since: number };
type Session = { readonly claim: QueueClaim; ends: number; granted: number };

type Line = {
  drawn: number;
  /** In the order of the numbers drawn, because that is the order of joining. */
  readonly waiting: Map<UserId, Waiting>;
  readonly away: Map<UserId, Away>;
  readonly returned: Map<UserId, Waiting>;
  readonly sessions: Map<UserId, Session>;
  /** When people were let in, for the window. */
  readonly admissions: number[];
  /** When sessions ended, for the turnover. */
  readonly ended: number[];
};

export function memoryWaitingRoom(clock: MemoryClock): WaitingRoom {
  const lines = new Map<ConcertId, Line>();

  function lineOf(concertId: ConcertId): Line {
    const line = lines.get(concertId) ?? {
      drawn: 0,
      waiting: new Map(),
      away: new Map(),
      returned: new Map(),
      sessions: new Map(),
      admissions: [],
      ended: [],
    };
    lines.set(concertId, line);
    return line;
  }

  function turnoverOf({ ended }: Line): number {
    const recent = ended.filter((at) => at > clock.now() - TURNOVER_WINDOW_MS);
    return (recent.length * 1_000) / TURNOVER_WINDOW_MS;
  }

  /** The session of this place, if it is running; asking for it claims it. */
  function sessionOf(place: PlaceId): Session | undefined {
    const session = lineOf(place.concertId).sessions.get(place.userId);
    if (session === undefined || !isOf(session.claim, place) || session.ends <= clock.now()) return undefined;
    session.ends = Math.max(session.ends, session.granted);
    return session;
  }

  function locate(place: PlaceId): Place {
    const line = lineOf(place.concertId);
    const { waiting, away, returned } = line;
    const absent = away.get(place.userId);
    if (absent !== undefined && isOf(absent.claim, place)) {
      away.delete(place.userId);
      returned.set(place.userId, { claim: absent.claim, askedAt: clock.now() });
    }
    for (const [set, positionOf] of [
      [returned, () => 1],
      [waiting, () => [...waiting.keys()].indexOf(place.userId) + 1],
    ] as const) {
      const found = set.get(place.userId);
      if (found === undefined || !isOf(found.claim, place)) continue;
      found.askedAt = clock.now();
      return { status: 'WAITING', position: positionOf(), turnover: turnoverOf(line) };
    }
    const session = sessionOf(place);
    return session === undefined ? { status: 'EXPIRED' } : { status: 'ACTIVE', expiresAt: new Date(session.ends) };
  }

  return {
    async join(concertId, userId, { waitingMax }) {
      const line = lineOf(concertId);
      const { waiting, away, returned, sessions } = line;
      const holder = waiting.get(userId) ?? away.get(userId) ?? returned.get(userId) ?? sessions.get(userId);
      const place = holder === undefined ? undefined : locate(holder.claim);
      if (holder !== undefined && place !== undefined && place.status !== 'EXPIRED') {
        return { claim: holder.claim, place, fresh: false };
      }
      if (waiting.size + returned.size >= waitingMax) throw new Refusal('queue-full', { retryAfterSeconds: 30 });
      sessions.delete(userId);
      line.drawn += 1;
      const claim = { userId, concertId, sequence: line.drawn, epoch: EPOCH, joinedAt: new Date(clock.now()) };
      waiting.set(userId, { claim, askedAt: clock.now() });
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
      const { waiting, away, returned, sessions, ended } = lineOf(place.concertId);
      for (const set of [waiting, away, returned, sessions]) {
        const found = set.get(place.userId);
        if (found === undefined || !isOf(found.claim, place)) continue;
        set.delete(place.userId);
        if (set === sessions) ended.push(clock.now());
      }
    },

    async read(concertId) {
      const line = lineOf(concertId);
      return {
        waiting: line.waiting.size + line.returned.size,
        active: [...line.sessions.values()].filter(({ ends }) => ends > clock.now()).length,
        absent: line.away.size,
        drawn: line.drawn,
        turnover: turnoverOf(line),
      };
    },

    async admit(concertId, policy) {
      const { waiting, away, returned, sessions, admissions, ended } = lineOf(concertId);
      const now = clock.now();
      const ago = (seconds: number) => now - seconds * 1_000;
      const lapsed = [...sessions].filter(([, { ends }]) => ends <= now);
      for (const [userId] of lapsed) {
        sessions.delete(userId);
        ended.push(now);
      }

      const admittedInWindow = admissions.filter((at) => at > ago(policy.windowSeconds)).length;
      const room = admissible(policy, { active: sessions.size, admittedInWindow }, ADMIT_BATCH_MAX);
      const granted = now + policy.sessionSeconds * 1_000;
      const ends = Math.min(granted, now + policy.claimSeconds * 1_000);
      const back = [...returned].sort(([, a], [, b]) => a.claim.sequence - b.claim.sequence);
      let admitted = 0;
      let passedOver = 0;
      for (const [userId, { claim, askedAt }] of [...back, ...waiting]) {
        if (admitted === room) break;
        waiting.delete(userId);
        returned.delete(userId);
        if (askedAt < ago(policy.absentSeconds)) {
          away.set(userId, { claim, since: now });
          passedOver += 1;
        } else {
          sessions.set(userId, { claim, ends, granted });
          admissions.push(now);
          admitted += 1;
        }
      }
      for (const [userId, { since }] of away) if (since <= ago(policy.graceSeconds)) away.delete(userId);

      const figures = { active: sessions.size, waiting: waiting.size + returned.size };
      return { admitted, expired: lapsed.length, passedOver, ...figures };
    },
  };
}

function isOf(claim: QueueClaim, place: PlaceId): boolean {
  return claim.sequence === place.sequence && claim.epoch === place.epoch;
}
