import { randomBytes } from 'node:crypto';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, ReservationId, UserId } from '#domain/ids.ts';
import type { QueueEvent, QueueRecords } from '#ports/queue/queue-records.ts';
import { lotsOf, type MemoryStore, tell } from './memory-store.ts';

export function memoryQueueRecords(store: MemoryStore): QueueRecords {
  const now = () => store.clock.now();

  /** Also if refunded since. */
  const wasPaid = (id: ReservationId) => [...store.payments.values()].some(({ reservationId }) => reservationId === id);

  /** The entries of this queue with a hold or a payment, and the end of the hold. */
  function entriesOf(concertId: ConcertId, epoch: string) {
    const entries = new Map<
      number,
      { readonly userId: UserId; readonly sequence: number; heldUntil: number; paid: boolean }
    >();
    for (const { reservationId, status, heldUntil } of store.reservations.values()) {
      const entry = store.entriesOfReservations.get(reservationId);
      if (entry?.concertId !== concertId || entry.epoch !== epoch) continue;
      const { sequence, userId } = entry;
      const known = entries.get(sequence) ?? { sequence, userId, heldUntil: 0, paid: false };
      if (status === 'HELD') known.heldUntil = Math.max(known.heldUntil, heldUntil.getTime());
      if (status === 'CONFIRMED' || wasPaid(reservationId)) known.paid = true;
      entries.set(sequence, known);
    }
    return [...entries.values()].sort((a, b) => a.sequence - b.sequence);
  }

  function joinedOnRecord(concertId: ConcertId, sequence: number): { readonly joinedAt?: Date } {
    const events = [...(store.lineEvents.get(concertId)?.values() ?? [])];
    const joinedAt = events.find((event) => event.sequence === sequence && event.joinedAt !== undefined)?.joinedAt;
    return joinedAt === undefined ? {} : { joinedAt };
  }

  return {
    async open(concertId) {
      if (!store.concerts.has(concertId)) throw new Refusal('concert-not-found');
      const known = store.queues.get(concertId);
      const queue = known ?? { epoch: randomBytes(6).toString('base64url'), drawn: 0, head: 1 };
      store.queues.set(concertId, queue);
      const { epoch, drawn, head } = queue;
      const lots = store.lots.get(concertId);
      const entries = entriesOf(concertId, epoch);
      return {
        epoch,
        known: known !== undefined,
        drawn,
        head,
        registering: lots?.drawn === undefined && store.concerts.get(concertId)?.policy.opening === 'lottery',
        ...(lots?.drawn === undefined ? {} : { draw: { seed: lots.seed.toString('hex'), count: lots.drawn.count } }),
        sessions: entries
          .filter(({ paid, heldUntil }) => !paid && heldUntil > now())
          .map(({ userId, sequence, heldUntil }) => ({
            ...{ userId, sequence, remainingMs: heldUntil - now() },
            ...joinedOnRecord(concertId, sequence),
          })),
        paid: entries.filter(({ paid }) => paid).map(({ sequence }) => sequence),
      };
    },

    async findProgress(concertId) {
      return store.queues.get(concertId);
    },

    async note(concertId, { drawn, head }) {
      const queue = store.queues.get(concertId);
      if (queue === undefined) return;
      queue.drawn = Math.max(queue.drawn, drawn);
      queue.head = Math.max(queue.head, head);
    },

    async draw(concertId, count) {
      if (store.concerts.get(concertId)?.policy.opening !== 'lottery') throw new RangeError('there are no lots');
      const lots = lotsOf(store, concertId);
      lots.drawn ??= { count, at: new Date(now()) };
      return { seed: lots.seed.toString('hex'), count: lots.drawn.count };
    },

    async findSession({ concertId, sequence, userId, epoch }, sessionSeconds) {
      if (store.queues.get(concertId)?.epoch !== epoch) return undefined;
      const entry = entriesOf(concertId, epoch).find((one) => one.sequence === sequence && one.userId === userId);
      const events = [...(store.lineEvents.get(concertId)?.values() ?? [])].filter((one) => one.sequence === sequence);
      const last = events.sort((one, other) => compareEvents(one, other)).at(-1);
      if (entry?.paid || (last !== undefined && last.kind !== 'admitted')) return undefined;
      const ends = Math.max(entry?.heldUntil ?? 0, last === undefined ? 0 : last.at.getTime() + sessionSeconds * 1_000);
      return ends > now() ? { remainingMs: ends - now() } : undefined;
    },

    async record(concertId, events) {
      const recorded = store.lineEvents.get(concertId) ?? new Map<string, QueueEvent>();
      store.lineEvents.set(concertId, recorded);
      const added = events.filter(({ eventId }) => !recorded.has(eventId));
      for (const event of added) recorded.set(event.eventId, event);
      const admitted = added.filter(({ kind }) => kind === 'admitted');
      const last = admitted.at(-1);
      if (last === undefined) return;
      const sequences = admitted.map(({ sequence }) => sequence);
      tell(store, 'queue.admitted', concertId, last.at, { concertId, sequences });
    },
  };
}

/** By the numbers of the log. */
export function compareEvents(one: QueueEvent, other: QueueEvent): number {
  const [numbers, others] = [one, other].map(({ eventId }) => eventId.split('-').map(Number)) as [number[], number[]];
  const index = numbers.findIndex((number, at) => number !== others[at]);
  return index === -1 ? 0 : (numbers[index] ?? 0) - (others[index] ?? 0);
}
