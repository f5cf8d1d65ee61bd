import { hash } from 'node:crypto';
import { admissible } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { drawOrder, wordsFrom } from '#domain/queue/lottery.ts';
import type { EntryId, EntryState, QueueEntry } from '#domain/queue/queue.ts';
import type { Queue, QueueFigures } from '#ports/queue/queue.ts';
import type { QueueEvent, QueueRecords } from '#ports/queue/queue-records.ts';
import type { MemoryClock } from './memory-clock.ts';

const SETTLE_MS = 10_000;
const TURNOVER_WINDOW_MS = 60_000;
const ADMIT_BATCH_MAX = 1_000;
/** Six bytes in base64url, as in every queue token. */
const EPOCH = 'memory-1';

type Waiting = { readonly entry: QueueEntry; askedAt: number };
type Away = { readonly entry: QueueEntry; readonly since: number };
type Session = { readonly entry: QueueEntry; ends: number; granted: number };

type Line = {
  drawn: number;
  /** Until lots are drawn. */
  readonly registered: Map<UserId, QueueEntry>;
  draws: 'never' | 'later' | 'done';
  /** What the lots gave, by the number of the registration. */
  lots: Uint32Array;
  readonly watchers: Set<() => void>;
  readonly events: QueueEvent[];
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

export function memoryQueue(clock: MemoryClock, queueRecords: Pick<QueueRecords, 'draw'>): Queue {
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

  const orderOf = ({ lots }: Line, { sequence }: QueueEntry) => lots[sequence - 1] ?? sequence;

  function log(line: Line, kind: QueueEvent['kind'], entry: QueueEntry): void {
    line.logged += 1;
    const { sequence, joinedAt } = entry;
    const at = new Date(clock.now());
    line.events.push({
      eventId: `${clock.now()}-${line.logged}-0`,
      kind,
      sequence,
      order: orderOf(line, entry),
      joinedAt,
      at,
    });
  }

  function figuresOf(line: Line): QueueFigures {
    const [first] = line.waiting.values();
    return {
      waiting: line.waiting.size + line.returned.size,
      active: [...line.sessions.values()].filter(({ ends }) => ends > clock.now()).length,
      absent: line.away.size,
      registered: line.registered.size,
      drawn: line.drawn,
      head: line.draws === 'later' ? 1 : first === undefined ? line.drawn + 1 : orderOf(line, first.entry),
      turnover: turnoverOf(line),
    };
  }

  /** The session of this place, if it is running; asking for it claims it. */
  function sessionOf(state: EntryId): Session | undefined {
    const session = lineOf(state.concertId).sessions.get(state.userId);
    if (session === undefined || !isOf(session.entry, state) || session.ends <= clock.now()) return undefined;
    session.ends = Math.max(session.ends, session.granted);
    return session;
  }

  function locate(state: EntryId): EntryState {
    const line = lineOf(state.concertId);
    const { waiting, away, returned, registered } = line;
    const enrolled = registered.get(state.userId);
    if (enrolled !== undefined && isOf(enrolled, state)) {
      return { status: 'WAITING', position: undefined, turnover: turnoverOf(line) };
    }
    const absent = away.get(state.userId);
    if (absent !== undefined && isOf(absent.entry, state)) {
      away.delete(state.userId);
      returned.set(state.userId, { entry: absent.entry, askedAt: clock.now() });
      log(line, 'returned', absent.entry);
    }
    for (const [set, positionOf] of [
      [returned, () => 1],
      [waiting, () => [...waiting.keys()].indexOf(state.userId) + 1],
    ] as const) {
      const found = set.get(state.userId);
      if (found === undefined || !isOf(found.entry, state)) continue;
      found.askedAt = clock.now();
      return { status: 'WAITING', position: positionOf(), turnover: turnoverOf(line) };
    }
    const session = sessionOf(state);
    return session === undefined ? { status: 'EXPIRED' } : { status: 'ACTIVE', expiresAt: new Date(session.ends) };
  }

  return {
    async join(concertId, userId, { waitingMax, opening }) {
      const line = lineOf(concertId);
      if (opening === 'lottery' && line.draws === 'never') line.draws = 'later';
      const { waiting, away, returned, sessions, registered } = line;
      const enrolled = registered.get(userId);
      if (enrolled !== undefined) return { entry: enrolled, state: locate(enrolled), fresh: false };
      const holder = waiting.get(userId) ?? away.get(userId) ?? returned.get(userId) ?? sessions.get(userId);
      const state = holder === undefined ? undefined : locate(holder.entry);
      if (holder !== undefined && state !== undefined && state.status !== 'EXPIRED') {
        return { entry: holder.entry, state, fresh: false };
      }
      if (waiting.size + returned.size + registered.size >= waitingMax)
        throw new Refusal('queue-full', { retryAfterSeconds: 30 });
      const lapsed = sessions.get(userId);
      if (lapsed !== undefined) log(line, 'ended', lapsed.entry);
      sessions.delete(userId);
      line.drawn += 1;
      const entry = { userId, concertId, sequence: line.drawn, epoch: EPOCH, joinedAt: new Date(clock.now()) };
      if (line.draws === 'later') registered.set(userId, entry);
      else waiting.set(userId, { entry, askedAt: clock.now() });
      return { entry, state: locate(entry), fresh: true };
    },

    // Whoever looks here knows all there is to know: to find costs nothing.
    recall: () => undefined,

    async find(state) {
      return locate(state);
    },

    async keepOpen(state) {
      const found = locate(state);
      const session = sessionOf(state);
      if (session !== undefined) {
        session.ends = Math.max(session.ends, Math.min(clock.now(), session.granted) + SETTLE_MS);
      }
      return found;
    },

    async extend(state, milliseconds) {
      const session = sessionOf(state);
      if (session === undefined) return;
      session.granted = Math.max(session.granted, clock.now() + milliseconds);
      session.ends = Math.max(session.ends, session.granted);
    },

    async leave(state) {
      const line = lineOf(state.concertId);
      const { waiting, away, returned, sessions, ended, registered } = line;
      const enrolled = registered.get(state.userId);
      if (enrolled !== undefined && isOf(enrolled, state)) {
        registered.delete(state.userId);
        log(line, 'left', enrolled);
      }
      for (const set of [waiting, away, returned, sessions]) {
        const found = set.get(state.userId);
        if (found === undefined || !isOf(found.entry, state)) continue;
        set.delete(state.userId);
        if (set === sessions) ended.push(clock.now());
        log(line, set === sessions ? 'ended' : 'left', found.entry);
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
      const { seed, count } = await queueRecords.draw(concertId, line.drawn);
      const words = wordsFrom(Buffer.from(seed, 'hex'), (input) => hash('sha256', input, 'buffer'));
      const drawing = drawOrder(count, words);
      let step = drawing.next();
      while (!step.done) step = drawing.next();
      line.lots = step.value.order;
      line.draws = 'done';
      const placed = [...line.registered.values()].sort((a, b) => orderOf(line, a) - orderOf(line, b));
      for (const entry of placed) line.waiting.set(entry.userId, { entry, askedAt: clock.now() });
      line.registered.clear();
    },

    async refresh() {},
    async writeLastSeen() {},

    takeEvents: async (concertId, max) => lineOf(concertId).events.slice(0, max),
    async ackEvents(concertId, last) {
      const { events } = lineOf(concertId);
      events.splice(0, events.findIndex(({ eventId }) => eventId === last.eventId) + 1);
    },

    async admit(concertId, policy) {
      const line = lineOf(concertId);
      const { waiting, away, returned, sessions, admissions, ended } = line;
      const now = clock.now();
      const ago = (seconds: number) => now - seconds * 1_000;
      const lapsed = [...sessions].filter(([, { ends }]) => ends <= now);
      for (const [userId, { entry }] of lapsed) {
        sessions.delete(userId);
        ended.push(now);
        log(line, 'ended', entry);
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
      const back = [...returned].sort(([, a], [, b]) => orderOf(line, a.entry) - orderOf(line, b.entry));
      let admitted = 0;
      let passedOver = 0;
      for (const [userId, { entry, askedAt }] of [...back, ...waiting]) {
        if (admitted === room) break;
        waiting.delete(userId);
        returned.delete(userId);
        if (askedAt < ago(policy.absentSeconds)) {
          away.set(userId, { entry, since: now });
          log(line, 'passed-over', entry);
          passedOver += 1;
        } else {
          sessions.set(userId, { entry, ends, granted });
          admissions.push(now);
          log(line, 'admitted', entry);
          admitted += 1;
        }
      }
      for (const [userId, { entry, since }] of away) {
        if (since > ago(policy.graceSeconds)) continue;
        away.delete(userId);
        log(line, 'forgotten', entry);
      }
      if (admitted + passedOver + lapsed.length > 0) for (const onMove of line.watchers) onMove();

      const figures = { active: sessions.size, waiting: waiting.size + returned.size };
      return { admitted, expired: lapsed.length, passedOver, ...figures };
    },
  };
}

function isOf(entry: QueueEntry, state: EntryId): boolean {
  return entry.sequence === state.sequence && entry.epoch === state.epoch;
}
