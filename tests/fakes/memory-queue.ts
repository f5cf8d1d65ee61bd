import { hash } from 'node:crypto';
import { longestHoldMs } from '#domain/booking/reservation.ts';
import { admissible } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { drawOrder, wordsFrom } from '#domain/queue/lottery.ts';
import { type EntryId, type EntryState, type Pace, pollSecondsMax, type QueueEntry } from '#domain/queue/queue.ts';
import type { Queue, QueueFigures } from '#ports/queue/queue.ts';
import type { QueueEvent, QueueRecords } from '#ports/queue/queue-records.ts';
import type { MemoryClock } from './memory-clock.ts';

const KEEP_OPEN_MS = 10_000;
const TURNOVER_WINDOW_MS = 60_000;
const ADMIT_BATCH_MAX = 1_000;
const TOLD_MARGIN_MS = 5_000;
/** As long as in every queue token. */
const EPOCH = 'memory-1';

type Waiting = { readonly entry: QueueEntry; askedAt: number };
type Absent = { readonly entry: QueueEntry; readonly since: number };
type Session = { readonly entry: QueueEntry; ends: number; granted: number };

type StoredQueue = {
  drawn: number;
  /** Until lots are drawn. */
  readonly registered: Map<UserId, QueueEntry>;
  draws: 'never' | 'later' | 'done';
  /** The result of the draw, by registration number. */
  lots: Uint32Array;
  readonly watchers: Set<() => void>;
  readonly events: QueueEvent[];
  logged: number;
  /** In the order of joining. */
  readonly waiting: Map<UserId, Waiting>;
  readonly absent: Map<UserId, Absent>;
  readonly rejoined: Map<UserId, Waiting>;
  readonly sessions: Map<UserId, Session>;
  /** The times of admissions, for the window. */
  readonly admissions: number[];
  /** The longest poll interval told to clients, and a longer one told before, which counts until then. */
  toldMs: number;
  longestHoldMs: number;
  longerMs: number;
  longerUntil: number;
  /** The times at which sessions ended, for the turnover. */
  readonly ended: number[];
  wasSoldOut: boolean;
};

export function memoryQueue(clock: MemoryClock, queueRecords: Pick<QueueRecords, 'draw'>): Queue {
  const open = new Map<ConcertId, StoredQueue>();

  function queueOf(concertId: ConcertId): StoredQueue {
    const queue = open.get(concertId) ?? {
      drawn: 0,
      registered: new Map(),
      draws: 'never',
      lots: new Uint32Array(),
      watchers: new Set(),
      events: [],
      logged: 0,
      waiting: new Map(),
      absent: new Map(),
      rejoined: new Map(),
      sessions: new Map(),
      admissions: [],
      toldMs: 0,
      longestHoldMs: 0,
      longerMs: 0,
      longerUntil: 0,
      ended: [],
      wasSoldOut: false,
    };
    open.set(concertId, queue);
    return queue;
  }

  function paceOf({ ended }: StoredQueue): Pace {
    const recent = ended.filter((at) => at > clock.now() - TURNOVER_WINDOW_MS);
    return { turnover: (recent.length * 1_000) / TURNOVER_WINDOW_MS, presentShare: 1 };
  }

  const orderOf = ({ lots }: StoredQueue, { sequence }: QueueEntry) => lots[sequence - 1] ?? sequence;

  function log(queue: StoredQueue, kind: QueueEvent['kind'], entry: QueueEntry): void {
    queue.logged += 1;
    const { sequence, joinedAt } = entry;
    const at = new Date(clock.now());
    queue.events.push({
      eventId: `${clock.now()}-${queue.logged}-0`,
      kind,
      sequence,
      order: orderOf(queue, entry),
      joinedAt,
      at,
    });
  }

  function figuresOf(queue: StoredQueue): QueueFigures {
    const [first] = queue.waiting.values();
    return {
      waiting: queue.waiting.size + queue.rejoined.size,
      active: [...queue.sessions.values()].filter(({ ends }) => ends > clock.now()).length,
      absent: queue.absent.size,
      registered: queue.registered.size,
      drawn: queue.drawn,
      head: queue.draws === 'later' ? 1 : first === undefined ? queue.drawn + 1 : orderOf(queue, first.entry),
      ...paceOf(queue),
    };
  }

  /** The session of this entry, if it is running. Claims it. */
  function sessionOf(id: EntryId): Session | undefined {
    const session = queueOf(id.concertId).sessions.get(id.userId);
    if (session === undefined || !isOf(session.entry, id) || session.ends <= clock.now()) return undefined;
    session.ends = Math.max(session.ends, session.granted);
    return session;
  }

  function locate(id: EntryId): EntryState {
    const queue = queueOf(id.concertId);
    const { waiting, absent, rejoined, registered } = queue;
    const enrolled = registered.get(id.userId);
    if (enrolled !== undefined && isOf(enrolled, id)) {
      return { status: 'WAITING', position: undefined, ...paceOf(queue) };
    }
    const missed = absent.get(id.userId);
    if (missed !== undefined && isOf(missed.entry, id)) {
      absent.delete(id.userId);
      rejoined.set(id.userId, { entry: missed.entry, askedAt: clock.now() });
      log(queue, 'returned', missed.entry);
    }
    for (const [set, positionOf] of [
      [rejoined, () => 1],
      [waiting, () => [...waiting.keys()].indexOf(id.userId) + 1],
    ] as const) {
      const found = set.get(id.userId);
      if (found === undefined || !isOf(found.entry, id)) continue;
      found.askedAt = clock.now();
      return { status: 'WAITING', position: positionOf(), ...paceOf(queue) };
    }
    const session = sessionOf(id);
    return session === undefined ? { status: 'EXPIRED' } : { status: 'ACTIVE', expiresAt: new Date(session.ends) };
  }

  return {
    async join(concertId, userId, { waitingMax, opening }) {
      const queue = queueOf(concertId);
      if (opening === 'lottery' && queue.draws === 'never') queue.draws = 'later';
      const { waiting, absent, rejoined, sessions, registered } = queue;
      const enrolled = registered.get(userId);
      if (enrolled !== undefined) return { entry: enrolled, state: locate(enrolled), fresh: false };
      const holder = waiting.get(userId) ?? absent.get(userId) ?? rejoined.get(userId) ?? sessions.get(userId);
      const state = holder === undefined ? undefined : locate(holder.entry);
      if (holder !== undefined && state !== undefined && state.status !== 'EXPIRED') {
        return { entry: holder.entry, state, fresh: false };
      }
      if (waiting.size + rejoined.size + registered.size >= waitingMax)
        throw new Refusal('queue-full', { retryAfterSeconds: 30 });
      const lapsed = sessions.get(userId);
      if (lapsed !== undefined) log(queue, 'ended', lapsed.entry);
      sessions.delete(userId);
      queue.drawn += 1;
      const entry = { userId, concertId, sequence: queue.drawn, epoch: EPOCH, joinedAt: new Date(clock.now()) };
      if (queue.draws === 'later') registered.set(userId, entry);
      else waiting.set(userId, { entry, askedAt: clock.now() });
      return { entry, state: locate(entry), fresh: true };
    },

    // Nothing is cached, as `find` costs nothing here.
    recall: () => undefined,

    async find(entry) {
      return locate(entry);
    },

    async keepOpen(entry) {
      const found = locate(entry);
      const session = sessionOf(entry);
      if (session !== undefined) {
        session.ends = Math.max(session.ends, Math.min(clock.now(), session.granted) + KEEP_OPEN_MS);
      }
      return found;
    },

    async extend(id, milliseconds) {
      const session = sessionOf(id);
      if (session === undefined) return;
      const ceiling = session.granted + queueOf(id.concertId).longestHoldMs;
      session.ends = Math.max(session.ends, Math.min(clock.now() + milliseconds, ceiling));
    },

    async leave(id) {
      const queue = queueOf(id.concertId);
      const { waiting, absent, rejoined, sessions, ended, registered } = queue;
      const enrolled = registered.get(id.userId);
      if (enrolled !== undefined && isOf(enrolled, id)) {
        registered.delete(id.userId);
        log(queue, 'left', enrolled);
      }
      for (const set of [waiting, absent, rejoined, sessions]) {
        const found = set.get(id.userId);
        if (found === undefined || !isOf(found.entry, id)) continue;
        set.delete(id.userId);
        if (set === sessions) ended.push(clock.now());
        log(queue, set === sessions ? 'ended' : 'left', found.entry);
      }
    },

    read: async (concertId) => figuresOf(queueOf(concertId)),
    survey: async (concertId) => figuresOf(queueOf(concertId)),

    watch(concertId, onMove) {
      const { watchers } = queueOf(concertId);
      watchers.add(onMove);
      return () => watchers.delete(onMove);
    },

    async drawLots(concertId) {
      const queue = queueOf(concertId);
      if (queue.draws !== 'later') return;
      const { seed, count } = await queueRecords.draw(concertId, queue.drawn);
      const words = wordsFrom(Buffer.from(seed, 'hex'), (input) => hash('sha256', input, 'buffer'));
      const drawing = drawOrder(count, words);
      let step = drawing.next();
      while (!step.done) step = drawing.next();
      queue.lots = step.value.order;
      queue.draws = 'done';
      const placed = [...queue.registered.values()].sort((a, b) => orderOf(queue, a) - orderOf(queue, b));
      for (const entry of placed) queue.waiting.set(entry.userId, { entry, askedAt: clock.now() });
      queue.registered.clear();
    },

    async refresh() {},
    async writeLastSeen() {},

    takeEvents: async (concertId, max) => queueOf(concertId).events.slice(0, max),
    async ackEvents(concertId, last) {
      const { events } = queueOf(concertId);
      events.splice(0, events.findIndex(({ eventId }) => eventId === last.eventId) + 1);
    },

    async admit(concertId, policy) {
      const queue = queueOf(concertId);
      const { waiting, absent, rejoined, sessions, admissions, ended } = queue;
      const now = clock.now();
      const ago = (seconds: number) => now - seconds * 1_000;
      const lapsed = [...sessions].filter(([, { ends }]) => ends <= now);
      for (const [userId, { entry }] of lapsed) {
        sessions.delete(userId);
        ended.push(now);
        log(queue, 'ended', entry);
      }

      const admittedInWindow = admissions.filter((at) => at > ago(policy.windowSeconds)).length;
      const closed = policy.paused || queue.draws === 'later';
      const room = admissible(
        { ...policy, paused: closed },
        { active: sessions.size, admittedInWindow, wasSoldOut: queue.wasSoldOut },
        ADMIT_BATCH_MAX,
      );
      if (policy.seatsLeft?.available === 0) queue.wasSoldOut = true;
      const pollMs = pollSecondsMax(policy) * 1_000;
      if (pollMs < queue.toldMs) {
        queue.longerMs = queue.toldMs + TOLD_MARGIN_MS;
        queue.longerUntil = Math.max(queue.longerUntil, now + queue.longerMs);
      }
      queue.toldMs = pollMs;
      queue.longestHoldMs = longestHoldMs(policy);
      const { longerMs, longerUntil } = queue;
      const silentSeconds = Math.max(policy.absentSeconds, now < longerUntil ? longerMs / 1_000 : 0);
      const granted = Math.max(now + policy.sessionSeconds * 1_000, longerUntil);
      const claimedBy = now + Math.min(policy.sessionSeconds, policy.claimSeconds) * 1_000;
      const ends = Math.max(claimedBy, longerUntil);
      const back = [...rejoined].sort(([, a], [, b]) => orderOf(queue, a.entry) - orderOf(queue, b.entry));
      let admitted = 0;
      let passedOver = 0;
      for (const [userId, { entry, askedAt }] of [...back, ...waiting]) {
        if (admitted === room) break;
        waiting.delete(userId);
        rejoined.delete(userId);
        if (askedAt < ago(silentSeconds)) {
          absent.set(userId, { entry, since: now });
          log(queue, 'passed-over', entry);
          passedOver += 1;
        } else {
          sessions.set(userId, { entry, ends, granted });
          admissions.push(now);
          log(queue, 'admitted', entry);
          admitted += 1;
        }
      }
      for (const [userId, { entry, since }] of absent) {
        if (since > ago(policy.graceSeconds) - (now < longerUntil ? longerMs : 0)) continue;
        absent.delete(userId);
        log(queue, 'forgotten', entry);
      }
      if (admitted + passedOver + lapsed.length > 0) for (const onMove of queue.watchers) onMove();

      const figures = { active: sessions.size, waiting: waiting.size + rejoined.size };
      return { admitted, expired: lapsed.length, passedOver, ...figures };
    },
  };
}

function isOf(entry: QueueEntry, id: EntryId): boolean {
  return entry.sequence === id.sequence && entry.epoch === id.epoch;
}
