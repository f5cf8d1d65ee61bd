import { setTimeout } from 'node:timers/promises';
import { batched } from '#adapters/memory/batch.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { type FindOutcome, run, scripts } from '#adapters/redis/scripts.ts';
import { Refusal } from '#domain/errors.ts';
import type { EntryId, EntryState, Pace, QueueEntry } from '#domain/queue/queue.ts';
import { memberOf } from './member.ts';
import { paceOf } from './pace.ts';
import type { QueueView } from './queue-view.ts';
import { type QueueViews, TRIES_MAX } from './queue-views.ts';

type FindKey = Pick<EntryId, 'concertId' | 'epoch'> & { readonly keepOpenMs: number };

/** Bounds one run of the script to a fraction of a millisecond; Redis works on one batch while the next is being read. */
const BATCH_MAX = 100;
/** Fields per entry in the script's reply. */
const FIELDS = 2;

/** Finds an entry; entries of one queue are found by one script. Looks again for those that could not be told. */
export function findBatch(redis: RedisClient, views: QueueViews, reportMs: number) {
  async function find(key: FindKey, entries: readonly QueueEntry[]): Promise<(EntryState | Refusal)[]> {
    const places = new Map<QueueEntry, EntryState>();
    let sought = entries;
    for (let tries = 0; sought.length > 0 && tries < TRIES_MAX; tries++) {
      for (const [entry, state] of await look(key, sought)) places.set(entry, state);
      sought = sought.filter((entry) => !places.has(entry));
    }
    return entries.map((entry) => places.get(entry) ?? new Refusal('unavailable', { retryAfterSeconds: 1 }));
  }

  /** The entries that this look could tell. */
  async function look({ concertId, epoch, keepOpenMs }: FindKey, entries: readonly QueueEntry[]) {
    const view = await views.surveyed(concertId);
    // A token shows that its sequence was drawn.
    if (view.known().epoch === epoch) for (const { sequence } of entries) view.noteDrawn(epoch, sequence);
    const drawnKnown = view.known().drawn;
    const numbers = entries.map(({ sequence }) => view.numberOf(sequence));
    const endedKnown = view.endedEntries().bytes();
    const reply = await run(
      redis,
      scripts.find,
      view.keys,
      { epoch, drawCountKnown: view.drawCount(), keepOpenMs, endedKnown, drawnKnown },
      entries.flatMap(({ userId, sequence, joinedAt }, index) => {
        const number = numbers[index] ?? sequence;
        return [memberOf(userId), number, sequence, view.hasEnded(number) ? 0 : joinedAt.getTime()];
      }),
    );
    if (reply[0] === 'other-epoch') return entries.map((entry) => [entry, { status: 'EXPIRED' }] as const);
    if (reply[0] === 'unopened') await view.open();
    if (reply[0] === 'redrawn' || reply[0] === 'unsurveyed') await view.refresh();
    if (reply[0] === 'reporting') await setTimeout(reportMs);
    if (reply[0] !== 'found') return [];
    const [, head, endedBytes, turnover, presentShare, ...answers] = reply;
    const pace = paceOf(turnover, presentShare);
    await view.noteHead(head, endedBytes);
    const found = entries.flatMap((entry, index): [QueueEntry, EntryState][] => {
      const answer = answers.slice(index * FIELDS, (index + 1) * FIELDS) as Answer;
      const state = stateOf(view, numbers[index] ?? entry.sequence, answer, { head, pace });
      return state === undefined ? [] : [[entry, state]];
    });
    // Others are told once all ended entries are known.
    if (found.length < entries.length) await view.refresh();
    return found;
  }

  return batched<FindKey, QueueEntry, EntryState>(
    ({ concertId, epoch, keepOpenMs }) => `${concertId} ${epoch} ${keepOpenMs}`,
    find,
    BATCH_MAX,
  );
}

type Answer = [outcome: FindOutcome, endsMs: number];

/** Undefined if it has to be looked for again. */
function stateOf(
  view: QueueView,
  number: number,
  [outcome, endsMs]: Answer,
  { head, pace }: { readonly head: number; readonly pace: Pace },
): EntryState | undefined {
  if (outcome === 'unsure') return undefined;
  if (outcome === 'ended') return { status: 'EXPIRED' };
  if (outcome === 'active') return { status: 'ACTIVE', expiresAt: new Date(endsMs) };
  view.confirm(number);
  const positions = {
    waiting: () => view.positionOf(number, head),
    rejoined: () => 1,
    registered: () => undefined,
  };
  return { status: 'WAITING', position: positions[outcome](), ...pace };
}
