import { hash } from 'node:crypto';
import type { SeatSet } from '#domain/booking/reservation.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { ConcertId } from '#domain/ids.ts';

// All keys of Frontrow. One hash tag per concert for its queue, one per concert and date for the seats, and a few for
// all clients, so that all keys of a script are on one node of a Redis Cluster.

const PREFIX = 'frontrow:';

/**
 * The keys of a concert's queue, in the order in which its scripts name them (queue/lua/shared.lua). An entry's *number* is its
 * sequence or, where lots were drawn, the lot that it drew. Times are milliseconds of the queue's clock (decision 0037)
 * unless they say seconds. Joining times are milliseconds since 1970 by Redis's clock.
 * - `epoch` string: the name of this queue; gone when Redis has lost its memory
 * - `sequence` counter: the last sequence drawn; never lowered
 * - `waiting` sorted set: user → number
 * - `joined` string: an array of 6-byte big-endian times, at (number - 1) * 6: when the entry joined
 * - `last-seen` string: an array of 4-byte big-endian seconds, at (number - 1) * 4
 * - `absent` sorted set, `absent-numbers` hash: user → when the entry was passed over, and its number
 * - `rejoined` sorted set: user → number; absent entries that are back, admitted before those waiting
 * - `active` sorted set: user → when the session ends
 * - `sessions` hash: active user → number
 * - `granted` string: an array of 6-byte big-endian times, at (number - 1) * 6: when the session ends as granted, later than in
 *   `active` until it is claimed, earlier while a hold or a command under way keeps it open
 * - `admissions` sorted set: how many were ever admitted → since when, for an hour back
 * - `pace` hash: turnover, smoothed (`rate` per second, at time `at`, measured `since`), and `active` as the last admission left
 *   it; whether the concert was ever `sold-out`
 * - `clock` hash: the time of the queue when it was last `served`, and its `offset` from the clock of Redis; the share of the
 *   waiting entries that will be `present` at the head; the longest poll interval `told` to clients and, after it was shortened,
 *   the `longer` one, which counts until `longer-until`; since when nearly all clients are `silent`, by the clock of Redis; how
 *   many keys the queue has (`parts`), and the `server` of Redis that it was surveyed on; the `longest-hold` of the policy
 * - `ended` string: an array of 4-byte big-endian numbers of ended entries, as they ended; only ever appended to
 * - `log` stream: what happened to entries, until it is on record: kind → numbers
 * - `rebuild` hash: after a loss, when instances have told what they have `known` (by Redis's clock), the number `from` which
 *   entries may be missing, `until` when the queue waits for them, its `head` before, until when the `late` are restored, and
 *   the `name` of this memory
 * - `draw` hash: of a lottery, the `state`, `among` how many lots are to be drawn, and once drawn the `count` and the `seed`
 * - `registered` sorted set: user → sequence of those who wait for the draw; `registered-joined`, `registered-last-seen`,
 *   `registered-ended`: as above, by sequence, while entries are placed
 */
const QUEUE_KEYS = [
  'epoch',
  'sequence',
  'waiting',
  'joined',
  'last-seen',
  'absent',
  'absent-numbers',
  'rejoined',
  'active',
  'sessions',
  'granted',
  'admissions',
  'pace',
  'clock',
  'ended',
  'log',
  'rebuild',
  'draw',
  'registered',
  'registered-joined',
  'registered-last-seen',
  'registered-ended',
] as const;

export type QueueKey = (typeof QUEUE_KEYS)[number];

export function queueKey(concertId: ConcertId, name: QueueKey): string {
  return `${PREFIX}{${concertId}}:${name}`;
}

/** The keys that each script of a queue takes. */
export function queueKeys(concertId: ConcertId): string[] {
  return QUEUE_KEYS.map((name) => queueKey(concertId, name));
}

/** A message is the id of a concert whose queue has moved. */
export const MOVED_CHANNEL = `${PREFIX}moved`;

/** The stream of events for other services, and the largest fencing token that has published. */
export const EVENT_STREAM = `${PREFIX}{events}`;
export const EVENT_FENCE = `${EVENT_STREAM}:fence`;

/** The hold key of each seat, in the given order. Its value is `user:reservation`. */
export function holdKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:seat:${seatNumber}`);
}

/** The lock of each seat, in the given order. */
export function lockKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:lock:${seatNumber}`);
}

/** Present while Postgres stores the answer to a command. Hashed, as an idempotency key may have 255 characters. */
export function answeredKey({ concertId, date }: SeatSet, { userId, key }: IdempotencyKey): string {
  const digest = hash('sha256', `${userId} ${key}`, 'base64url');
  return `${PREFIX}{${concertId}:${date}}:answered:${digest}`;
}

/** Few tags, so that one script counts many clients; more than one, so that the nodes of a cluster share the work. */
const CLIENT_TAGS = 8;

/** The tag of a client, which is an address or a user id. */
export function commandCountTag(client: string): number {
  return (client.charCodeAt(client.length - 1) + client.charCodeAt(client.length - 2)) % CLIENT_TAGS;
}

/** Counts a client's commands in its window. */
export function commandCountKey(client: string, command: string): string {
  return `${PREFIX}rate:{${commandCountTag(client)}}:${command}:${client}`;
}
