import { createHash } from 'node:crypto';
import type { ConcertId } from '#domain/ids.ts';
import type { RequestKey } from '#domain/request.ts';
import type { SeatSet } from '#domain/reservation.ts';

// Every key of Frontrow but the rate limiter's. One hash tag per concert for the line, and one per concert and date for the seats, so that each
// script finds all of its keys on one node of a Redis Cluster.

const PREFIX = 'frontrow:';

/**
 * The line of a concert:
 * - `epoch` string: the name of this line's memory; gone when the memory is
 * - `sequence` counter: the last number drawn; never lowered
 * - `line` sorted set: who waits → sequence
 * - `joined` string: an array of 6-byte big-endian milliseconds since 1970, at (sequence - 1) * 6: when each number was drawn
 * - `seen` string: an array of 4-byte big-endian seconds since 1970, at (sequence - 1) * 4: when they last asked
 * - `away` sorted set, `away-sequences` hash: who was passed over → when, in milliseconds since 1970, and their sequence
 * - `returned` sorted set: who was passed over and is back → sequence; they go before the line
 * - `active` sorted set: who is in → when the session ends, in milliseconds since 1970
 * - `sessions` hash: who is in → `sequence:end`, the end as granted: later than in `active` until the session is claimed,
 *   earlier while a command under way keeps it open
 * - `recent` sorted set: how many were ever let in → since when, in milliseconds since 1970, for an hour back
 * - `pace` hash: turnover, smoothed (`rate` per second, at time `at`), and `active` as the last admission left it
 */
export function lineKeys(concertId: ConcertId) {
  const key = (name: string) => `${PREFIX}{${concertId}}:${name}`;
  return {
    epoch: key('epoch'),
    sequence: key('sequence'),
    line: key('line'),
    joined: key('joined'),
    seen: key('seen'),
    away: key('away'),
    awaySequences: key('away-sequences'),
    returned: key('returned'),
    active: key('active'),
    sessions: key('sessions'),
    recent: key('recent'),
    pace: key('pace'),
  };
}

/** The mark of each seat, in the order given: `user:reservation`, gone with the hold. */
export function seatKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:seat:${seatNumber}`);
}

/** The lock of each seat, in the order given. */
export function lockKeys({ concertId, date, seatNumbers }: SeatSet): string[] {
  return seatNumbers.map((seatNumber) => `${PREFIX}{${concertId}:${date}}:lock:${seatNumber}`);
}

/** Present while the answer to a request is known to the box office. Hashed: a client's key may be 255 characters long. */
export function answeredKey({ concertId, date }: SeatSet, { userId, key }: RequestKey): string {
  const digest = createHash('sha256').update(`${userId} ${key}`).digest('base64url');
  return `${PREFIX}{${concertId}:${date}}:answered:${digest}`;
}
