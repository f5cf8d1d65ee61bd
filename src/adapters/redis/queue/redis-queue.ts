import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { MOVED_CHANNEL } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import { longestHoldMs } from '#domain/booking/reservation.ts';
import { type AdmissionPolicy, activeMaxAfterSoldOut } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { type ConcertId, concertId } from '#domain/ids.ts';
import { type EntryId, type EntryState, pollSecondsMax, type QueueEntry } from '#domain/queue/queue.ts';
import type { Admission, Queue } from '#ports/queue/queue.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { findBatch } from './find-batch.ts';
import { joinBatch } from './join-batch.ts';
import { lastSeen } from './last-seen.ts';
import { memberOf } from './member.ts';
import { queueOpener } from './open-queue.ts';
import { placeByLot } from './place-by-lot.ts';
import { ackQueueEvents, takeQueueEvents } from './queue-log.ts';
import type { QueueView } from './queue-view.ts';
import { queueViews, TRIES_MAX } from './queue-views.ts';

export type RedisQueueSettings = {
  /** How long a lost queue waits for its entries: at least the longest poll interval. */
  readonly rebuildSeconds: number;
};

/** Subscribes to a channel until the connection is closed. */
export type Subscribe = (channel: string, onMessage: (message: string) => void) => Promise<unknown>;

/** How long a command under way keeps a session open: longer than one takes, store timeouts included. */
const KEEP_OPEN_MS = 10_000;
/** After a loss, instances report what they know for this long at most: longer than they take to reconnect to Redis. */
const REPORT_MS_MAX = 5_000;
/** And for this share of the rebuild. */
const REPORT_SHARE = 1 / 3;
/** Bounds one run of the admission script to a few milliseconds. */
const ADMIT_BATCH_MAX = 1_000;

export function redisQueue(
  redis: RedisClient,
  queueRecords: QueueRecords,
  { rebuildSeconds }: RedisQueueSettings,
  subscribe?: Subscribe,
): Queue {
  const rebuildMs = rebuildSeconds * 1_000;
  const reportMs = Math.min(REPORT_MS_MAX, Math.floor(rebuildMs * REPORT_SHARE));
  const rebuild = { rebuildMs, reportMs };
  const views = queueViews(redis, queueRecords, rebuild, queueOpener(redis, queueRecords, rebuild));
  // A message that is missed costs no more than the time to the next survey.
  void subscribe?.(MOVED_CHANNEL, (id) => views.moved(concertId(id)));
  const heartbeats = lastSeen(redis);
  const join = joinBatch(redis, views, reportMs);
  const find = findBatch(redis, views, reportMs);

  return {
    join: (concertId, userId, { waitingMax, opening }) => join({ concertId, waitingMax, opening }, userId),
    recall(entry) {
      const view = views.of(entry.concertId);
      const number = view.numberOf(entry.sequence);
      const state = recall(view, entry, number);
      if (state !== undefined) heartbeats.note(view, entry, number);
      return state;
    },
    find: (entry) => find({ ...entry, keepOpenMs: 0 }, entry),
    keepOpen: (entry) => find({ ...entry, keepOpenMs: KEEP_OPEN_MS }, entry),
    extend: async (entry, milliseconds) => extend(redis, await views.surveyed(entry.concertId), entry, milliseconds),
    leave: async (entry) => leave(redis, await views.surveyed(entry.concertId), entry),

    read: async (concertId) => (await views.of(concertId).refresh()).figures,
    async survey(concertId) {
      const view = views.of(concertId);
      return (view.fresh() ?? (await view.refresh())).figures;
    },
    watch: views.watch,
    refresh: views.refresh,

    async admit(concertId, policy) {
      const admission = await admit(redis, await views.surveyed(concertId), concertId, policy);
      if (admission.admitted + admission.expired + admission.passedOver > 0) views.moved(concertId);
      return admission;
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
  const { turnover, presentShare, drawn, rebuildingMs } = figures;
  const pace = { turnover, presentShare };
  if (rebuildingMs !== undefined || sequence > drawn) return undefined;
  if (view.hasEnded(number) || !view.isConfirmed(number)) return undefined;
  if (state === 'registering') return { status: 'WAITING', position: undefined, ...pace };
  if (state !== '' && state !== 'drawn') return undefined;
  const position = view.farPositionOf(number);
  return position === undefined ? undefined : { status: 'WAITING', position, ...pace };
}

async function extend(
  redis: RedisClient,
  view: QueueView,
  { userId, sequence, epoch }: EntryId,
  extendMs: number,
): Promise<void> {
  const entry = { user: memberOf(userId), number: view.numberOf(sequence), epoch };
  await run(redis, scripts.extend, view.keys, { ...entry, extendMs });
}

async function leave(redis: RedisClient, view: QueueView, { userId, sequence, epoch }: EntryId): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (tries > 0) await view.refresh();
    const entry = { user: memberOf(userId), number: view.numberOf(sequence), sequence, epoch };
    const reply = await run(redis, scripts.leave, view.keys, { ...entry, drawCountKnown: view.drawCount() });
    if (reply >= 0) return;
  }
  throw new Refusal('unavailable', { retryAfterSeconds: 1 });
}

async function admit(
  redis: RedisClient,
  view: QueueView,
  concertId: ConcertId,
  policy: AdmissionPolicy,
): Promise<Admission> {
  const reply = await run(redis, scripts.admit, view.keys, {
    activeMax: policy.activeMax,
    soldOut: policy.seatsLeft?.available === 0 ? 1 : 0,
    soldOutActiveMax: policy.seatsLeft ? activeMaxAfterSoldOut(policy.seatsLeft) : '',
    perWindow: policy.admitPerWindow,
    windowMs: policy.windowSeconds * 1_000,
    sessionMs: policy.sessionSeconds * 1_000,
    claimMs: policy.claimSeconds * 1_000,
    absentS: policy.absentSeconds,
    graceMs: policy.graceSeconds * 1_000,
    pollMs: pollSecondsMax(policy) * 1_000,
    paused: policy.paused ? 1 : 0,
    batchMax: ADMIT_BATCH_MAX,
    longestHoldMs: longestHoldMs(policy),
    channel: MOVED_CHANNEL,
    concert: concertId,
  });
  if (reply[0] !== 'admitted') {
    // The next call admits.
    await view.refresh();
    return { admitted: 0, expired: 0, passedOver: 0, active: 0, waiting: 0 };
  }
  const [, admitted, expired, passedOver, active, waiting] = reply;
  return { admitted, expired, passedOver, active, waiting };
}
