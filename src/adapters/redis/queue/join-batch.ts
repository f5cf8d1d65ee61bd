import { setTimeout } from 'node:timers/promises';
import { batched } from '#adapters/memory/batch.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { type JoinOutcome, run, scripts } from '#adapters/redis/scripts.ts';
import type { Policy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import type { EntryState, Pace } from '#domain/queue/queue.ts';
import type { Joined } from '#ports/queue/queue.ts';
import { memberOf } from './member.ts';
import { paceOf } from './pace.ts';
import type { QueueView } from './queue-view.ts';
import { type QueueViews, TRIES_MAX } from './queue-views.ts';

type JoinKey = { readonly concertId: ConcertId } & Pick<Policy, 'waitingMax' | 'opening'>;

const FULL_RETRY_AFTER_SECONDS = 30;
/** Bounds one run of the script to a fraction of a millisecond; Redis works on one batch while the next is being read. */
const BATCH_MAX = 32;
/** Fields per user in the script's reply. */
const FIELDS = 4;

/** Joins a user; users of one concert are joined by one script. */
export function joinBatch(redis: RedisClient, views: QueueViews, reportMs: number) {
  async function join(key: JoinKey, users: readonly UserId[], tries = 1): Promise<(Joined | Refusal)[]> {
    const { concertId, waitingMax, opening } = key;
    const view = await views.surveyed(concertId);
    const { epoch: epochKnown, drawn: drawnKnown } = view.known();
    const args = { waitingMax, holdsLottery: opening === 'lottery' ? 1 : 0, epochKnown, drawnKnown } as const;
    const reply = await run(redis, scripts.join, view.keys, args, users.map(memberOf));
    if (reply[0] !== 'joined') {
      if (tries === TRIES_MAX) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
      if (reply[0] === 'unopened') await view.open();
      else await (reply[0] === 'unsurveyed' ? view.refresh() : setTimeout(reportMs));
      return join(key, users, tries + 1);
    }
    const [, epoch, head, endedBytes, lots, turnover, presentShare, ...answers] = reply;
    const pace = paceOf(turnover, presentShare);
    if (lots >= 0) await view.knowDraw(lots);
    await view.noteHead(head, endedBytes);
    return users.map((userId, index) => {
      const answer = answers.slice(index * FIELDS, (index + 1) * FIELDS) as Answer;
      const [outcome, number, joined, detail] = answer;
      if (outcome === 'full') return new Refusal('queue-full', { retryAfterSeconds: FULL_RETRY_AFTER_SECONDS });
      if (outcome === 'closed') return new Refusal('unavailable', { retryAfterSeconds: Math.ceil(detail / 1_000) });
      const sequence = isSequence(outcome) ? number : view.sequenceOf(number);
      view.noteDrawn(epoch, sequence);
      view.confirm(number);
      const entry = { userId, concertId, sequence, epoch, joinedAt: new Date(joined) };
      const fresh = outcome === 'drawn' || outcome === 'enrolled';
      return { entry, state: stateOf(view, answer, head, pace), fresh };
    });
  }

  return batched<JoinKey, UserId, Joined>(
    ({ concertId, waitingMax, opening }) => `${concertId} ${waitingMax} ${opening}`,
    (key, users) => join(key, users),
    BATCH_MAX,
  );
}

type Answer = [outcome: JoinOutcome, number: number, joinedMs: number, detail: number];

const isSequence = (outcome: JoinOutcome) => ['drawn', 'enrolled', 'registered'].includes(outcome);

function stateOf(view: QueueView, [outcome, number, , detail]: Answer, head: number, pace: Pace): EntryState {
  if (outcome === 'active') return { status: 'ACTIVE', expiresAt: new Date(detail) };
  const isPlaced = outcome === 'drawn' || outcome === 'waiting';
  const position = isPlaced ? view.positionOf(number, head) : outcome === 'rejoined' ? 1 : undefined;
  return { status: 'WAITING', position, ...pace };
}
