import { batched } from '#adapters/memory/batch.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { MOVED_CHANNEL } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import { Refusal } from '#domain/errors.ts';
import { concertId, type UserId } from '#domain/ids.ts';
import type { EntryState, QueueEntry } from '#domain/queue/queue.ts';
import type { Queue } from '#ports/queue/queue.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { type FindKey, findBatch } from './find-batch.ts';
import { type JoinKey, joinBatch } from './join-batch.ts';
import { lastSeen } from './last-seen.ts';
import { memberOf } from './member.ts';
import { queueOpener } from './open-queue.ts';
import { placeByLot } from './place-by-lot.ts';
import { ackQueueEvents, takeQueueEvents } from './queue-log.ts';
import type { QueueView } from './queue-view.ts';
import { queueViews } from './queue-views.ts';

export type RedisQueueSettings = {
  /** How long a lost queue waits for its entries: at least the longest poll interval. */
  readonly rebuildSeconds: number;
};

/** Subscribes to a channel until the connection is closed. */
export type Subscribe = (channel: string, onMessage: (message: string) => void) => Promise<unknown>;

/** How long a command under way keeps a session open: longer than one takes, store timeouts included. */
const KEEP_OPEN_MS = 10_000;
/** After a loss, instances report what they know for this long at most, and for this share of the rebuild. */
const REPORT_MS_MAX = 2_000;
const REPORT_SHARE = 1 / 3;
/** Bounds one run of the admission script to a few milliseconds. */
const ADMIT_BATCH_MAX = 1_000;
/** Bound one run of a script to a fraction of a millisecond; Redis works on one batch while the next is being read. */
const JOIN_BATCH_MAX = 32;
const FIND_BATCH_MAX = 100;
const TRIES_MAX = 4;

export function redisQueue(
  redis: RedisClient,
  queueRecords: QueueRecords,
  { rebuildSeconds }: RedisQueueSettings,
  subscribe?: Subscribe,
): Queue {
  const rebuildMs = rebuildSeconds * 1_000;
  const reportMs = Math.min(REPORT_MS_MAX, Math.floor(rebuildMs * REPORT_SHARE));
  const open = queueOpener(redis, queueRecords, { rebuildMs, reportMs });
  const views = queueViews(redis, open);
  const openViews = { views, open, reportMs, triesMax: TRIES_MAX };
  // A message that is missed costs no more than the time to the next survey.
  void subscribe?.(MOVED_CHANNEL, (id) => views.moved(concertId(id)));
  const heartbeats = lastSeen(redis);

  const join = joinBatch(redis, openViews);
  const joinTogether = batched(
    ({ concertId, waitingMax, opening }: JoinKey) => `${concertId} ${waitingMax} ${opening}`,
    (key, users: readonly UserId[]) => join(key, users),
    JOIN_BATCH_MAX,
  );
  const findTogether = batched(
    ({ concertId, epoch, keepOpenMs }: FindKey) => `${concertId} ${epoch} ${keepOpenMs}`,
    findBatch(redis, openViews),
    FIND_BATCH_MAX,
  );

  async function find(entry: QueueEntry, keepOpenMs: number): Promise<EntryState> {
    const state = await findTogether({ ...entry, keepOpenMs }, entry);
    if (state instanceof Refusal) throw state;
    return state;
  }

  return {
    async join(concertId, userId, { waitingMax, opening }) {
      const answer = await joinTogether({ concertId, waitingMax, opening }, userId);
      if (answer instanceof Refusal) throw answer;
      return answer;
    },

    recall(entry) {
      const view = views.of(entry.concertId);
      const number = view.numberOf(entry.sequence);
      const state = recall(view, entry, number);
      if (state !== undefined) heartbeats.note(view, entry, number);
      return state;
    },

    find: (entry) => find(entry, 0),
    keepOpen: (entry) => find(entry, KEEP_OPEN_MS),

    async extend({ concertId, userId, sequence, epoch }, milliseconds) {
      const view = await views.surveyed(concertId);
      const entry = { user: memberOf(userId), number: view.numberOf(sequence), epoch };
      await run(redis, scripts.extend, view.keys, { ...entry, extendMs: milliseconds });
    },

    async leave({ concertId, userId, sequence, epoch }) {
      const view = await views.surveyed(concertId);
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        if (tries > 0) await view.refresh();
        const entry = { user: memberOf(userId), number: view.numberOf(sequence), sequence, epoch };
        const reply = await run(redis, scripts.leave, view.keys, { ...entry, drawCountKnown: view.drawCount() });
        if (reply >= 0) return;
      }
      throw new Refusal('unavailable', { retryAfterSeconds: 1 });
    },

    read: async (concertId) => (await views.of(concertId).refresh()).figures,
    async survey(concertId) {
      const view = views.of(concertId);
      return (view.fresh() ?? (await view.refresh())).figures;
    },
    watch: views.watch,
    refresh: views.refresh,

    async admit(concertId, policy) {
      const reply = await run(redis, scripts.admit, views.of(concertId).keys, {
        activeMax: policy.activeMax,
        perWindow: policy.admitPerWindow,
        windowMs: policy.windowSeconds * 1_000,
        sessionMs: policy.sessionSeconds * 1_000,
        claimMs: policy.claimSeconds * 1_000,
        absentS: policy.absentSeconds,
        graceMs: policy.graceSeconds * 1_000,
        paused: policy.paused ? 1 : 0,
        batchMax: ADMIT_BATCH_MAX,
        channel: MOVED_CHANNEL,
        concert: concertId,
      });
      if (reply[0] === 'unopened') return { admitted: 0, expired: 0, passedOver: 0, active: 0, waiting: 0 };
      const [, admitted, expired, passedOver, active, waiting] = reply;
      if (admitted + expired + passedOver > 0) views.moved(concertId);
      return { admitted, expired, passedOver, active, waiting };
    },

    async drawLots(concertId) {
      await placeByLot(redis, queueRecords, concertId);
      await views.of(concertId).refresh();
    },

    writeLastSeen: heartbeats.write,

    takeEvents: (concertId, max) => takeQueueEvents(redis, views.of(concertId), concertId, max),
    ackEvents: (concertId, last) => ackQueueEvents(redis, concertId, last),
  };
}

/** From the last survey; undefined near the head, for an entry that does not wait, and on any doubt. */
function recall(view: QueueView, { sequence, epoch }: QueueEntry, number: number): EntryState | undefined {
  const survey = view.fresh();
  if (survey === undefined || survey.epoch !== epoch) return undefined;
  const { state, figures } = survey;
  const { turnover, drawn, rebuildingMs } = figures;
  if (rebuildingMs !== undefined || sequence > drawn) return undefined;
  if (view.hasEnded(number) || !view.isConfirmed(number)) return undefined;
  if (state === 'registering') return { status: 'WAITING', position: undefined, turnover };
  if (state !== '' && state !== 'drawn') return undefined;
  const position = view.farPositionOf(number);
  return position === undefined ? undefined : { status: 'WAITING', position, turnover };
}
