import { hash } from 'node:crypto';
import type { SeatSet } from '#domain/booking/reservation.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { ConcertId } from '#domain/ids.ts';

// Every key of Frontrow. One hash tag per concert for its queue, one per concert and date for the seats, and a few for all
// clients, so that each script finds all of its keys on one node of a Redis Cluster.

const PREFIX = 'frontrow:';

/**
 * The keys of a concert's queue, in the order in which its scripts name them (queue/lua/shared.lua). An entry's *number* is its
 * sequence or, where lots were drawn, the lot that it drew. Times are milliseconds since 1970 unless they say seconds.
 * - `epoch` string: the name of this queue; gone when Redis has lost its memory
 * - `sequence` counter: the last sequence drawn; never lowered
 * - `waiting` sorted set: user → number
 * - `joined` string: an array of 6-byte big-endian times, at (number - 1) * 6: when the entry joined
 * - `last-seen` string: an array of 4-byte big-endian seconds since 1970, at (number - 1) * 4
 * - `absent` sorted set, `absent-numbers` hash: user → when the entry was passed over, and its number
 * - `rejoined` sorted set: user → number; absent entries that are back, admitted before those waiting
 * - `active` sorted set: user → when the session ends
 * - `sessions` hash: active user → number
 * - `granted` string: an array of 6-byte big-endian times, at (number - 1) * 6: when the session ends as granted, later than in
 *   `active` until it is claimed, earlier while a command under way keeps it open
 * - `admissions` sorted set: how many were ever admitted → since when, for an hour back
 * - `pace` hash: turnover, smoothed (`rate` per second, at time `at`), and `active` as the last admission left it; when the queue
 *   was last `served`, and since when it is again (`resumed`) after how many ms `unserved`
 * - `ended` string: an array of 4-byte big-endian numbers of ended entries, as they ended; only ever appended to
 * - `log` stream: what happened to entries, until it is on record: kind → numbers
 * - `rebuild` hash: after a loss, when instances have told what they have `known`, `until` when the queue is rebuilt, its `head`
 *   before, until when the `late` are restored
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

/** All keys of a queue, as each of its scripts takes them. */
export function queueKeys(concertId: ConcertId): string[] {
  return QUEUE_KEYS.map((name) => queueKey(concertId, name));
}

/** A message says that the queue of the concert with this id has moved. */
export const MOVED_CHANNEL = `${PREFIX}moved`;

/** The stream of events for other services, and the largest fencing token that has published there. */
export const EVENT_STREAM = `${PREFIX}{events}`;
export const EVENT_FENCE = `${EVENT_STREAM}:fence`;

/** The hold key of each seat, in the order given: `user:reservation`, gone with the hold. */
export function holdKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:seat:${seatNumber}`);
}

/** The lock of each seat, in the order given. */
export function lockKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:lock:${seatNumber}`);
}

/** Present while Postgres knows the answer to a command. Hashed, as an idempotency key may be 255 characters long. */
export function answeredKey({ concertId, date }: SeatSet, { userId, key }: RequestKey): string {
  const digest = hash('sha256', `${userId} ${key}`, 'base64url');
  return `${PREFIX}{${concertId}:${date}}:answered:${digest}`;
}

/** Few parts, so that one script counts many clients; more than one, so that the nodes of a cluster share the work. */
const CLIENT_TAGS = 8;

/** The part of a client, which is an address or a user id. */
export function commandCountTag(client: string): number {
  return (client.charCodeAt(client.length - 1) + client.charCodeAt(client.length - 2)) % CLIENT_TAGS;
}

/** How often a client has sent this command in its window. */
export function commandCountKey(client: string, command: string): string {
  return `${PREFIX}rate:{${commandCountTag(client)}}:${command}:${client}`;
}
