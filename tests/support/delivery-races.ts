import type { Pool } from 'pg';
import { v7 as newId } from 'uuid';
import { expect } from 'vitest';
import { auditBooks } from '#commands/audits/audit-books.ts';
import { eventNumbers } from '#commands/audits/invariants.ts';
import { Refusal } from '#domain/errors.ts';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { beginStory } from './box-office-story.ts';
import { openHall } from './hall.ts';

const arrived = { durationMs: 1, status: 204 } as const;
const givenUp = { state: 'FAILED', endpointGone: false } as const;
const again = { state: 'PENDING', retryInMs: 1 } as const;

type Size = {
  readonly rounds: number;
  /** A round is over when each kind of work was done so often. */
  readonly turns: number;
};

/**
 * Attempts, relays, replays, tests and forgets the deliveries of one reservation, all at once. No command fails, whichever comes
 * first, and the events stay numbered without gaps.
 */
export async function raceForDeliveries(ports: Ports, pool: Pool, { rounds, turns }: Size): Promise<void> {
  const { deliveries, webhooks, events } = ports;
  const subscribe = async (): Promise<EndpointId> => {
    const id = endpointId(newId());
    await webhooks.create({ endpointId: id, url: 'https://example.com/hook', eventTypes: [] }, 1_000);
    return id;
  };
  const [id, other] = [await subscribe(), await subscribe()];
  for (let round = 0; round < rounds; round++) {
    const { pay, cancel } = await beginStory(ports, pool, await openHall(pool), 1);
    let chance = round;
    /** As the receiver answers: mostly it takes what comes, else it is tried again or given up. */
    const verdict = () => [{ state: 'DELIVERED' } as const, givenUp, again][chance++ % 3] ?? again;
    const settle = (endpoint: EndpointId) => async () => {
      for (const delivery of await deliveries.take(endpoint, 3)) {
        if (chance % 7 === 0) await deliveries.release(delivery);
        await deliveries.recordAttempt(delivery, arrived, verdict());
      }
    };
    const replayAny = async () => {
      const { items } = await deliveries.list(id, { limit: 20 });
      const over = items.filter(({ state }) => state !== 'PENDING');
      const one = over[chance++ % Math.max(1, over.length)];
      await deliveries.replay(id, one?.deliveryId ?? '1').catch(expectRefused);
    };
    const relayOne = async () => {
      const batch = await events.take(1);
      if (batch !== undefined) await events.ack(batch);
    };
    const kinds: (() => Promise<unknown>)[] = [
      settle(id),
      settle(id),
      settle(other),
      relayOne,
      replayAny,
      () => deliveries.replayFailed(id, new Date(0), 3),
      () => deliveries.test(id),
      // Now and then what was relayed just now, else what is older than a second.
      () => events.forget(chance % 5 === 0 ? 0 : 1, 1),
    ];
    const done = kinds.map(() => 0);
    const isOver = () => done.every((count) => count >= turns);
    const work = kinds.map(async (turn, kind) => {
      while (!isOver()) {
        await turn();
        done[kind] = (done[kind] ?? 0) + 1;
      }
    });
    await Promise.all([pay().then(cancel), ...work]);
    expect((await auditBooks(pool, [eventNumbers])).violations).toEqual([]);
  }
  await webhooks.remove(id);
  await webhooks.remove(other);
}

/** One that is pending by now, or forgotten, is not replayed. */
function expectRefused(error: unknown): void {
  if (!(error instanceof Refusal && error.code.startsWith('delivery-'))) throw error;
}
