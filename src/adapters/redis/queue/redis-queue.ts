import { setTimeout } from 'node:timers/promises';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { MOVED_CHANNEL } from '#adapters/redis/keys.ts';
import { type FindOutcome, type JoinOutcome, run, scripts } from '#adapters/redis/scripts.ts';
import type { Policy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { type ConcertId, concertId, type UserId } from '#domain/ids.ts';
import type { Place, PlaceId, QueueClaim } from '#domain/queue/queue.ts';
import type { Joined, WaitingRoom } from '#ports/queue/queue.ts';
import type { Lines } from '#ports/queue/queue-record.ts';
import { placeByLot } from './draw-lots.ts';
import { gather } from './gather.ts';
import { LATE_MS } from './line-view.ts';
import { lineViews } from './line-views.ts';
import { memberOf } from './member.ts';
import { lineOpener } from './open-line.ts';
import { presence } from './presence.ts';
import { settleLineEvents, takeLineEvents } from './queue-log.ts';

export type WaitingRoomSettings = {
  /** How long a line that was lost waits for those who were in it: no less than anybody is told to wait between polls. */
  readonly rebuildSeconds: number;
};

/** Hears what is published on a channel from now on, until whoever gave it ends that. */
export type Subscribe = (channel: string, onMessage: (message: string) => void) => Promise<unknown>;

/** How long a command under way keeps a session open: longer than one takes, waiting for the stores included. */
const SETTLE_MS = 10_000;
/** How long the instances put together what they know of a line that was lost, at most: each looks a few times meanwhile. */
const GATHER_MS_MAX = 2_000;
/** And of the time in which it is rebuilt, so much. */
const GATHER_SHARE = 1 / 3;
/** Bounds one run of the admission script to a few milliseconds. */
const ADMIT_BATCH_MAX = 1_000;
/**
 * Bounds one run of the scripts that many callers share, to a fraction of a millisecond; and a crowd is sent in parts, so that
 * Redis is at work on the first while the others are still being read.
 */
const JOIN_BATCH_MAX = 32;
const FIND_BATCH_MAX = 100;
/** Told to those who come when the line is full. */
const FULL_RETRY_AFTER_SECONDS = 30;
/** The line changes while we look: how often to look again before giving up. */
const TRIES_MAX = 4;

type JoinKey = { readonly concertId: ConcertId } & Pick<Policy, 'waitingMax' | 'opening'>;
type FindKey = Pick<PlaceId, 'concertId' | 'epoch'> & { readonly settleMs: number };

export function redisWaitingRoom(
  redis: RedisClient,
  lines: Lines,
  { rebuildSeconds }: WaitingRoomSettings,
  subscribe?: Subscribe,
): WaitingRoom {
  const rebuildMs = rebuildSeconds * 1_000;
  const gatherMs = Math.min(GATHER_MS_MAX, Math.floor(rebuildMs * GATHER_SHARE));
  const open = lineOpener(redis, lines, { rebuildMs, gatherMs });
  const views = lineViews(redis, open);
  // What is not heard is seen with the next refresh, if somewhat later.
  void subscribe?.(MOVED_CHANNEL, (id) => views.moved(concertId(id)));
  const present = presence(redis);

  async function joinAll(key: JoinKey, users: readonly UserId[], tries = 1): Promise<readonly (Joined | Refusal)[]> {
    const { concertId, waitingMax, opening } = key;
    const view = views.of(concertId);
    const lottery = opening === 'lottery' ? 1 : 0;
    const known = view.known();
    const reply = await run(
      redis,
      scripts.join,
      view.keys,
      waitingMax,
      lottery,
      known.epoch,
      known.drawn,
      LATE_MS,
      ...users.map(memberOf),
    );
    if (reply[0] !== 'joined') {
      if (tries === TRIES_MAX) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
      await (reply[0] === 'unopened' ? open(concertId, view) : setTimeout(gatherMs));
      return joinAll(key, users, tries + 1);
    }
    const [, epoch, frontier, endedBytes, turnover, among, ...answers] = reply;
    if (among >= 0) await view.knowDraw(among);
    await view.hear(frontier, endedBytes);
    return users.map((userId, index) => {
      const [outcome, number, joined, detail] = answers.slice(index * 4, index * 4 + 4) as [
        JoinOutcome,
        number,
        number,
        number,
      ];
      if (outcome === 'full') return full();
      if (outcome === 'closed') return rebuilding(detail);
      const fresh = outcome === 'drawn' || outcome === 'enrolled';
      const sequence = fresh || outcome === 'registered' ? number : view.sequenceOf(number);
      view.noteDrawn(epoch, sequence);
      view.confirm(number);
      const claim = { userId, concertId, sequence, epoch, joinedAt: new Date(joined) };
      return { claim, place: placeOf(), fresh };

      function placeOf(): Place {
        if (outcome === 'active') return { status: 'ACTIVE', expiresAt: new Date(detail) };
        return { status: 'WAITING', position: positionOf(), turnover: Number(turnover) };
      }
      function positionOf(): number | undefined {
        if (outcome === 'back') return 1;
        return outcome === 'drawn' || outcome === 'waiting' ? view.positionOf(number, frontier) : undefined;
      }
    });
  }

  async function findAll(key: FindKey, claims: readonly QueueClaim[]): Promise<readonly (Place | Refusal)[]> {
    const places = new Map<QueueClaim, Place>();
    let sought = claims;
    for (let tries = 0; sought.length > 0 && tries < TRIES_MAX; tries++) {
      for (const [claim, place] of await lookFor(key, sought)) places.set(claim, place);
      sought = sought.filter((claim) => !places.has(claim));
    }
    return claims.map((claim) => places.get(claim) ?? new Refusal('unavailable', { retryAfterSeconds: 1 }));
  }

  /** Where those of these places stand of whom it can be said. */
  async function lookFor({ concertId, epoch, settleMs }: FindKey, claims: readonly QueueClaim[]) {
    const view = views.of(concertId);
    if (!view.isSurveyed()) await view.refresh();
    const numbers = claims.map(({ sequence }) => view.numberOf(sequence));
    const reply = await run(
      redis,
      scripts.find,
      view.keys,
      epoch,
      view.drawCount(),
      settleMs,
      view.endedBytes(),
      ...claims.flatMap(({ userId, sequence, joinedAt }, index) => {
        const number = numbers[index] ?? sequence;
        return [memberOf(userId), number, sequence, view.ended.has(number) ? 0 : joinedAt.getTime()];
      }),
    );
    if (reply[0] === 'ended') return claims.map((claim) => [claim, { status: 'EXPIRED' }] as const);
    if (reply[0] === 'unopened') await open(concertId, view);
    if (reply[0] === 'redrawn') await view.refresh();
    if (reply[0] === 'settling') await setTimeout(gatherMs);
    if (reply[0] !== 'found') return [];
    const [, frontier, endedBytes, turnover, ...answers] = reply;
    await view.hear(frontier, endedBytes);
    return claims.flatMap((claim, index): [QueueClaim, Place][] => {
      const [outcome, ends] = answers.slice(index * 2, index * 2 + 2) as [FindOutcome, number];
      if (outcome === 'unsure') return [];
      if (outcome === 'over') return [[claim, { status: 'EXPIRED' }]];
      if (outcome === 'active') return [[claim, { status: 'ACTIVE', expiresAt: new Date(ends) }]];
      const number = numbers[index] ?? claim.sequence;
      view.confirm(number);
      const positions = {
        waiting: () => view.positionOf(number, frontier),
        back: () => 1,
        registered: () => undefined,
      };
      return [[claim, { status: 'WAITING', position: positions[outcome](), turnover: Number(turnover) }]];
    });
  }

  const joinTogether = gather(
    ({ concertId, waitingMax, opening }: JoinKey) => `${concertId} ${waitingMax} ${opening}`,
    (key, users: readonly UserId[]) => joinAll(key, users),
    JOIN_BATCH_MAX,
  );
  const findTogether = gather(
    ({ concertId, epoch, settleMs }: FindKey) => `${concertId} ${epoch} ${settleMs}`,
    findAll,
    FIND_BATCH_MAX,
  );

  async function findOne(claim: QueueClaim, settleMs: number): Promise<Place> {
    const place = await findTogether({ ...claim, settleMs }, claim);
    if (place instanceof Refusal) throw place;
    return place;
  }

  return {
    async join(concertId, userId, { waitingMax, opening }) {
      const answer = await joinTogether({ concertId, waitingMax, opening }, userId);
      if (answer instanceof Refusal) throw answer;
      return answer;
    },

    glance(claim) {
      const { concertId, sequence, epoch } = claim;
      const view = views.of(concertId);
      const survey = view.fresh();
      if (survey === undefined || survey.epoch !== epoch) return undefined;
      const number = view.numberOf(sequence);
      const { state, figures } = survey;
      const { turnover, drawn, rebuildingMs } = figures;
      if (rebuildingMs !== undefined || sequence > drawn) return undefined;
      if (view.ended.has(number) || !view.isConfirmed(number)) return undefined;
      if (state === 'registering') {
        present.note(view, claim, number);
        return { status: 'WAITING', position: undefined, turnover };
      }
      if (state !== '' && state !== 'drawn') return undefined;
      const position = view.farPositionOf(number);
      if (position === undefined) return undefined;
      present.note(view, claim, number);
      return { status: 'WAITING', position, turnover };
    },

    find: (claim) => findOne(claim, 0),
    settle: (claim) => findOne(claim, SETTLE_MS),

    async extend(place, milliseconds) {
      const { concertId, userId, sequence, epoch } = place;
      const view = views.of(concertId);
      if (!view.isSurveyed()) await view.refresh();
      const number = view.numberOf(sequence);
      await run(redis, scripts.extend, view.keys, memberOf(userId), number, epoch, milliseconds);
    },

    async leave(place) {
      const { concertId, userId, sequence, epoch } = place;
      const view = views.of(concertId);
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        if (!view.isSurveyed() || tries > 0) await view.refresh();
        const number = view.numberOf(sequence);
        const member = memberOf(userId);
        if ((await run(redis, scripts.leave, view.keys, member, number, sequence, epoch, view.drawCount())) >= 0)
          return;
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
      const reply = await run(
        redis,
        scripts.admit,
        views.of(concertId).keys,
        policy.activeMax,
        policy.admitPerWindow,
        policy.windowSeconds * 1_000,
        policy.sessionSeconds * 1_000,
        policy.claimSeconds * 1_000,
        policy.absentSeconds,
        policy.graceSeconds * 1_000,
        policy.paused ? 1 : 0,
        ADMIT_BATCH_MAX,
        MOVED_CHANNEL,
        concertId,
      );
      if (reply[0] === 'unopened') return { admitted: 0, expired: 0, passedOver: 0, active: 0, waiting: 0 };
      const [, admitted, expired, passedOver, active, waiting] = reply;
      if (admitted + expired + passedOver > 0) views.moved(concertId);
      return { admitted, expired, passedOver, active, waiting };
    },

    async drawLots(concertId) {
      await placeByLot(redis, lines, concertId);
      await views.of(concertId).refresh();
    },

    notePresence: present.writeDown,

    takeEvents: (concertId, max) => takeLineEvents(redis, views.of(concertId), concertId, max),
    settleEvents: (concertId, last) => settleLineEvents(redis, concertId, last),
  };
}

const full = () => new Refusal('queue-full', { retryAfterSeconds: FULL_RETRY_AFTER_SECONDS });
const rebuilding = (forMs: number) => new Refusal('unavailable', { retryAfterSeconds: Math.ceil(forMs / 1_000) });
