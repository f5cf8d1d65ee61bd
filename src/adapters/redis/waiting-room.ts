import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Refusal } from '#domain/errors.ts';
import type { UserId } from '#domain/ids.ts';
import type { Place, PlaceId } from '#domain/queue.ts';
import type { WaitingRoom } from '#ports/waiting-room.ts';
import { lineKeys } from './keys.ts';
import { run, scripts } from './scripts.ts';

/** How long a command under way keeps a session open: longer than one takes, waiting for the stores included. */
const SETTLE_MS = 10_000;
/** Bounds one run of the admission script to a few milliseconds. */
const ADMIT_BATCH_MAX = 1_000;
/** Told to those who come when the line is full. */
const FULL_RETRY_AFTER_SECONDS = 30;
/** Six bytes name a line's memory and fit into the token; a repetition is as good as impossible. */
const EPOCH_BYTES = 6;

export function redisWaitingRoom(redis: Redis): WaitingRoom {
  async function locate(place: PlaceId, settleMs: number): Promise<Place> {
    const keys = lineKeys(place.concertId);
    const [status, detail, turnover] = await run(
      redis,
      scripts.find,
      [
        keys.epoch,
        keys.line,
        keys.returned,
        keys.away,
        keys.awaySequences,
        keys.active,
        keys.sessions,
        keys.seen,
        keys.pace,
      ],
      memberOf(place.userId),
      place.sequence,
      place.epoch,
      settleMs,
    );
    if (status === 'waiting') return { status: 'WAITING', position: detail, turnover: Number(turnover) };
    if (status === 'active') return { status: 'ACTIVE', expiresAt: new Date(detail) };
    return { status: 'EXPIRED' };
  }

  return {
    async join(concertId, userId, { waitingMax }) {
      const keys = lineKeys(concertId);
      const candidateEpoch = randomBytes(EPOCH_BYTES).toString('base64url');
      const [outcome, epoch, sequence, joined, detail] = await run(
        redis,
        scripts.join,
        [
          keys.epoch,
          keys.sequence,
          keys.joined,
          keys.seen,
          keys.line,
          keys.returned,
          keys.away,
          keys.awaySequences,
          keys.active,
          keys.sessions,
        ],
        memberOf(userId),
        candidateEpoch,
        waitingMax,
      );
      if (outcome === 'full') throw new Refusal('queue-full', { retryAfterSeconds: FULL_RETRY_AFTER_SECONDS });
      const claim = { userId, concertId, sequence, epoch, joinedAt: new Date(joined) };
      const place: Place =
        outcome === 'active'
          ? { status: 'ACTIVE', expiresAt: new Date(detail) }
          : { status: 'WAITING', position: detail, turnover: 0 };
      return { claim, place, fresh: outcome === 'drawn' };
    },

    find: (place) => locate(place, 0),
    settle: (place) => locate(place, SETTLE_MS),

    async extend(place, milliseconds) {
      const keys = lineKeys(place.concertId);
      await run(
        redis,
        scripts.extend,
        [keys.epoch, keys.active, keys.sessions],
        memberOf(place.userId),
        place.sequence,
        place.epoch,
        milliseconds,
      );
    },

    async leave(place) {
      const keys = lineKeys(place.concertId);
      await run(
        redis,
        scripts.leave,
        [keys.epoch, keys.line, keys.returned, keys.away, keys.awaySequences, keys.active, keys.sessions],
        memberOf(place.userId),
        place.sequence,
        place.epoch,
      );
    },

    async read(concertId) {
      const keys = lineKeys(concertId);
      const [waiting, active, absent, drawn, turnover] = await run(redis, scripts.figures, [
        keys.line,
        keys.returned,
        keys.away,
        keys.active,
        keys.sequence,
        keys.pace,
      ]);
      return { waiting, active, absent, drawn, turnover: Number(turnover) };
    },

    async admit(concertId, policy) {
      const keys = lineKeys(concertId);
      const [admitted, expired, passedOver, active, waiting] = await run(
        redis,
        scripts.admit,
        [
          keys.line,
          keys.returned,
          keys.away,
          keys.awaySequences,
          keys.active,
          keys.sessions,
          keys.seen,
          keys.recent,
          keys.pace,
          keys.epoch,
          keys.sequence,
          keys.joined,
        ],
        policy.activeMax,
        policy.admitPerWindow,
        policy.windowSeconds * 1_000,
        policy.sessionSeconds * 1_000,
        policy.claimSeconds * 1_000,
        policy.absentSeconds,
        policy.graceSeconds * 1_000,
        policy.paused ? 1 : 0,
        ADMIT_BATCH_MAX,
      );
      return { admitted, expired, passedOver, active, waiting };
    },
  };
}

/** A user in the line: the UUID's 16 bytes as 22 characters, a third less than its usual form. */
function memberOf(userId: UserId): string {
  return Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');
}
