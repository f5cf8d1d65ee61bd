import { expect } from 'vitest';
import { joinAll } from './crowd.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const SESSION_SECONDS = 1;

type Recorded = { readonly kind: 'admitted' | 'ended'; readonly sequence: number; readonly at: Date };

/**
 * Nobody does anything but join: each session ends by itself, and the next user gets its place. At no time are more inside.
 *
 * @returns how long each place was free, in milliseconds, from the shortest to the longest. The log has its own clock, which
 * is read after the decision: the shortest may be below zero.
 */
export async function watchRefills(world: World, inside: number, turnovers: number): Promise<readonly number[]> {
  const concert = await world.openHall({ activeMax: inside, sessionSeconds: SESSION_SECONDS, paused: true });
  const queue = await joinAll(await world.fans(inside + turnovers), concert);
  await world.pool.query('UPDATE concerts SET paused = false WHERE concert_id = $1', [concert]);
  const recorded = async (): Promise<Recorded[]> => {
    const { rows } = await world.pool.query<Recorded>(
      `SELECT kind, sequence::integer, happened_at AS at FROM queue_events
       WHERE concert_id = $1 AND kind IN ('admitted', 'ended') ORDER BY logged_ms, logged_counter, logged_index`,
      [concert],
    );
    return rows;
  };
  const admittedIn = (events: readonly Recorded[]) => events.filter(({ kind }) => kind === 'admitted');
  await until('everybody was let in', async () => admittedIn(await recorded()).length === queue.length);

  const events = await recorded();
  const admitted = admittedIn(events);
  expect(admitted.map(({ sequence }) => sequence)).toEqual(queue.map(({ sequence }) => sequence));
  expect(mostInside(events)).toBe(inside);
  const refills = admitted.slice(inside).map(({ at }, index) => {
    const ended = (admitted[index]?.at.getTime() ?? Number.NaN) + 1_000 * SESSION_SECONDS;
    return at.getTime() - ended;
  });
  return refills.toSorted((a, b) => a - b);
}

function mostInside(events: readonly Recorded[]): number {
  let [inside, most] = [0, 0];
  for (const { kind } of events) {
    inside += kind === 'admitted' ? 1 : -1;
    most = Math.max(most, inside);
  }
  return most;
}
