import { hash } from 'node:crypto';
import { admissible } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { drawOrder, wordsFrom } from '#domain/queue/lottery.ts';
import type { Place, PlaceId, QueueClaim } from '#domain/queue/queue.ts';
import type { LineFigures, WaitingRoom } from '#ports/queue/queue.ts';
import type { LineEvent, Lines } from '#ports/queue/queue-record.ts';
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
  /** Until lots are drawn. */
  readonly registered: Map<UserId, QueueClaim>;
  draws: 'never' | 'later' | 'done';
  /** What the lots gave, by the number of the registration. */
  lots: Uint32Array;
  readonly watchers: Set<() => void>;
  readonly events: LineEvent[];
  logged: number;
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

export function memoryWaitingRoom(clock: MemoryClock, lines: Pick<Lines, 'draw'>): WaitingRoom {
  const open = new Map<ConcertId, Line>();

  function lineOf(concertId: ConcertId): Line {
    const line = open.get(concertId) ?? {
      drawn: 0,
      registered: new Map(),
      draws: 'never',
      lots: new Uint32Array(),
      watchers: new Set(),
      events: [],
      logged: 0,
      waiting: new Map(),
      away: new Map(),
      returned: new Map(),
      sessions: new Map(),
      admissions: [],
      ended: [],
    };
    open.set(concertId, line);
    return line;
  }

  function turnoverOf({ ended }: Line): number {
    const recent = ended.filter((at) => at > clock.now() - TURNOVER_WINDOW_MS);
    return (recent.length * 1_000) / TURNOVER_WINDOW_MS;
  }

  const orderOf = ({ lots }: Line, { sequence }: QueueClaim) => lots[sequence - 1] ?? sequence;

  function log(line: Line, kind: LineEvent['kind'], claim: QueueClaim): void {
    line.logged += 1;
    const { sequence, joinedAt } = claim;
    const at = new Date(clock.now());
    line.events.push({
      eventId: `${clock.now()}-${line.logged}-0`,
      kind,
      sequence,
      order: orderOf(line, claim),
      joinedAt,
      at,
    });
  }

  function figuresOf(line: Line): LineFigures {
    const [first] = line.waiting.values();
    return {
      waiting: line.waiting.size + line.returned.size,
      active: [...line.sessions.values()].filter(({ ends }) => ends > clock.now()).length,
      absent: line.away.size,
      registered: line.registered.size,
      drawn: line.drawn,
      frontier: line.draws === 'later' ? 1 : first === undefined ? line.drawn + 1 : orderOf(line, first.claim),
      turnover: turnoverOf(line),
    };
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
    const { waiting, away, returned, registered } = line;
    const enrolled = registered.get(place.userId);
    if (enrolled !== undefined && isOf(enrolled, place)) {
      return { status: 'WAITING', position: undefined, turnover: turnoverOf(line) };
    }
    const absent = away.get(place.userId);
    if (absent !== undefined && isOf(absent.claim, place)) {
      away.delete(place.userId);
      returned.set(place.userId, { claim: absent.claim, askedAt: clock.now() });
      log(line, 'returned', absent.claim);
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
    async join(concertId, userId, { waitingMax, opening }) {
      const line = lineOf(concertId);
      if (opening === 'lottery' && line.draws === 'never') line.draws = 'later';
      const { waiting, away, returned, sessions, registered } = line;
      const enrolled = registered.get(userId);
      if (enrolled !== undefined) return { claim: enrolled, place: locate(enrolled), fresh: false };
      const holder = waiting.get(userId) ?? away.get(userId) ?? returned.get(userId) ?? sessions.get(userId);
      const place = holder === undefined ? undefined : locate(holder.claim);
      if (holder !== undefined && place !== undefined && place.status !== 'EXPIRED') {
        return { claim: holder.claim, place, fresh: false };
      }
      if (waiting.size + returned.size + registered.size >= waitingMax)
        throw new Refusal('queue-full', { retryAfterSeconds: 30 });
      const lapsed = sessions.get(userId);
      if (lapsed !== undefined) log(line, 'ended', lapsed.claim);
      sessions.delete(userId);
      line.drawn += 1;
      const claim = { userId, concertId, sequence: line.drawn, epoch: EPOCH, joinedAt: new Date(clock.now()) };
      if (line.draws === 'later') registered.set(userId, claim);
      else waiting.set(userId, { claim, askedAt: clock.now() });
      return { claim, place: locate(claim), fresh: true };
    },

    // Whoever looks here knows all there is to know: to find costs nothing.
    glance: () => undefined,

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
      const line = lineOf(place.concertId);
      const { waiting, away, returned, sessions, ended, registered } = line;
      const enrolled = registered.get(place.userId);
      if (enrolled !== undefined && isOf(enrolled, place)) {
        registered.delete(place.userId);
        log(line, 'left', enrolled);
      }
      for (const set of [waiting, away, returned, sessions]) {
        const found = set.get(place.userId);
        if (found === undefined || !isOf(found.claim, place)) continue;
        set.delete(place.userId);
        if (set === sessions) ended.push(clock.now());
        log(line, set === sessions ? 'ended' : 'left', found.claim);
      }
    },

    read: async (concertId) => figuresOf(lineOf(concertId)),
    survey: async (concertId) => figuresOf(lineOf(concertId)),

    watch(concertId, onMove) {
      const { watchers } = lineOf(concertId);
      watchers.add(onMove);
      return () => watchers.delete(onMove);
    },

    async drawLots(concertId) {
      const line = lineOf(concertId);
      if (line.draws !== 'later') return;
      const { seed, count } = await lines.draw(concertId, line.drawn);
      const words = wordsFrom(Buffer.from(seed, 'hex'), (input) => hash('sha256', input, 'buffer'));
      const drawing = drawOrder(count, words);
      let step = drawing.next();
      while (!step.done) step = drawing.next();
      line.lots = step.value.order;
      line.draws = 'done';
      const placed = [...line.registered.values()].sort((a, b) => orderOf(line, a) - orderOf(line, b));
      for (const claim of placed) line.waiting.set(claim.userId, { claim, askedAt: clock.now() });
      line.registered.clear();
    },

    async refresh() {},
    async notePresence() {},

    takeEvents: async (concertId, max) => lineOf(concertId).events.slice(0, max),
    async settleEvents(concertId, last) {
      const { events } = lineOf(concertId);
      events.splice(0, events.findIndex(({ eventId }) => eventId === last.eventId) + 1);
    },

    async admit(concertId, policy) {
      const line = lineOf(concertId);
      const { waiting, away, returned, sessions, admissions, ended } = line;
      const now = clock.now();
      const ago = (seconds: number) => now - seconds * 1_000;
      const lapsed = [...sessions].filter(([, { ends }]) => ends <= now);
      for (const [userId, { claim }] of lapsed) {
        sessions.delete(userId);
        ended.push(now);
        log(line, 'ended', claim);
      }

      const admittedInWindow = admissions.filter((at) => at > ago(policy.windowSeconds)).length;
      const closed = policy.paused || line.draws === 'later';
      const room = admissible(
        { ...policy, paused: closed },
        { active: sessions.size, admittedInWindow },
        ADMIT_BATCH_MAX,
      );
      const granted = now + policy.sessionSeconds * 1_000;
      const ends = Math.min(granted, now + policy.claimSeconds * 1_000);
      const back = [...returned].sort(([, a], [, b]) => orderOf(line, a.claim) - orderOf(line, b.claim));
      let admitted = 0;
      let passedOver = 0;
      for (const [userId, { claim, askedAt }] of [...back, ...waiting]) {
        if (admitted === room) break;
        waiting.delete(userId);
        returned.delete(userId);
        if (askedAt < ago(policy.absentSeconds)) {
          away.set(userId, { claim, since: now });
          log(line, 'passed-over', claim);
          passedOver += 1;
        } else {
          sessions.set(userId, { claim, ends, granted });
          admissions.push(now);
          log(line, 'admitted', claim);
          admitted += 1;
        }
      }
      for (const [userId, { claim, since }] of away) {
        if (since > ago(policy.graceSeconds)) continue;
        away.delete(userId);
        log(line, 'forgotten', claim);
      }
      if (admitted + passedOver + lapsed.length > 0) for (const onMove of line.watchers) onMove();

      const figures = { active: sessions.size, waiting: waiting.size + returned.size };
      return { admitted, expired: lapsed.length, passedOver, ...figures };
    },
  };
}

function isOf(claim: QueueClaim, place: PlaceId): boolean {
  return claim.sequence === place.sequence && claim.epoch === place.epoch;
}
