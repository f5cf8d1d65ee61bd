import { hash } from 'node:crypto';
import type { OnDate, SeatSet } from '#domain/booking/reservation.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { ConcertId } from '#domain/ids.ts';

// Every key of Frontrow. One hash tag per concert for the line, one per concert and date for the seats, and a few for all clients, so
// that each script finds all of its keys on one node of a Redis Cluster.

const PREFIX = 'frontrow:';

/**
 * The line of a concert, in the order in which its scripts name them (lua/line/shared.lua):
 * - `epoch` string: the name of this line; gone when Redis has lost its memory
 * - `sequence` counter: the last number drawn; never lowered
 * - `line` sorted set: who waits → number
 * - `joined` string: an array of 6-byte big-endian milliseconds since 1970, at (number - 1) * 6: when each number was drawn
 * - `seen` string: an array of 4-byte big-endian seconds since 1970, at (number - 1) * 4: when they last asked
 * - `away` sorted set, `away-numbers` hash: who was passed over → when, in milliseconds since 1970, and their number
 * - `returned` sorted set: who was passed over and is back → number; they go before the line
 * - `active` sorted set: who is in → when the session ends, in milliseconds since 1970
 * - `sessions` hash: who is in → number
 * - `granted` string: an array of 6-byte big-endian milliseconds since 1970, at (number - 1) * 6: when the session ends as
 *   granted, later than in `active` until it is claimed, earlier while a command under way keeps it open
 * - `recent` sorted set: how many were ever let in → since when, in milliseconds since 1970, for an hour back
 * - `pace` hash: turnover, smoothed (`rate` per second, at time `at`), and `active` as the last admission left it; when the line
 *   was last looked after (`served`), and since when it is again (`resumed`) after so many ms without (`unserved`)
 * - `ended` string: an array of 4-byte big-endian numbers, the places that are over, as they ended; only ever appended to
 * - `log` stream: what happened to places, until it is on record: kind → numbers
 * - `ticks` list: where the line was lately, a few times a second, newest first: `milliseconds since 1970:frontier:length of ended`
 * - `rebuild` hash: of a line that was lost, by when it is `known` what there was, `until` when it is rebuilt, its `frontier`
 *   before, until when the `late` come back
 * - `draw` hash: of lots, the `state`, `among` how many they are to be drawn, and once they are the `count` and the `seed`
 * - `registered` sorted set: who waits for lots to be drawn → the number of the registration; `registered-joined`,
 *   `registered-seen`, `registered-ended`: as above, by that number, while the places are given
 */
const LINE_KEYS = [
  'epoch',
  'sequence',
  'line',
  'joined',
  'seen',
  'away',
  'away-numbers',
  'returned',
  'active',
  'sessions',
  'granted',
  'recent',
  'pace',
  'ended',
  'log',
  'ticks',
  'rebuild',
  'draw',
  'registered',
  'registered-joined',
  'registered-seen',
  'registered-ended',
] as const;

export type LineKey = (typeof LINE_KEYS)[number];

export function lineKey(concertId: ConcertId, name: LineKey): string {
  return `${PREFIX}{${concertId}}:${name}`;
}

/** All keys of a line, as every script of it takes them. */
export function lineKeys(concertId: ConcertId): string[] {
  return LINE_KEYS.map((name) => lineKey(concertId, name));
}

/** Where it is said that a line has moved; the message is the concert's id. */
export const MOVED_CHANNEL = `${PREFIX}moved`;

/** The stream of events for other services, and the largest term that has published there. */
export const EVENT_STREAM = `${PREFIX}{events}`;
export const EVENT_TERM = `${EVENT_STREAM}:term`;

/** The mark of each seat, in the order given: `user:reservation`, gone with the hold. */
export function seatKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:seat:${seatNumber}`);
}

/** Present while the marks of a date are there as far as anybody knows, or somebody looks after that: whose turn it is, or was. */
export function turnKey({ concertId, date }: OnDate): string {
  return `${PREFIX}{${concertId}:${date}}:turn`;
}

/** The lock of each seat, in the order given. */
export function lockKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:lock:${seatNumber}`);
}

/** Present while the answer to a request is known to the box office. Hashed: a client's key may be 255 characters long. */
export function answeredKey({ concertId, date }: SeatSet, { userId, key }: RequestKey): string {
  const digest = hash('sha256', `${userId} ${key}`, 'base64url');
  return `${PREFIX}{${concertId}:${date}}:answered:${digest}`;
}

/** Clients are divided into so many parts: few, so that many are counted at once; more than one, so that the nodes of a cluster share. */
const CLIENT_TAGS = 8;

/** The part to which a client belongs: an address, or the id of a user. */
export function commandCountTag(client: string): number {
  return (client.charCodeAt(client.length - 1) + client.charCodeAt(client.length - 2)) % CLIENT_TAGS;
}

/** How often a client has sent this command in its window; gone with the window. */
export function commandCountKey(client: string, command: string): string {
  return `${PREFIX}rate:{${commandCountTag(client)}}:${command}:${client}`;
}
