import { expect } from 'vitest';
import { joinLine } from './crowd.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const SESSION_SECONDS = 1;

/**
 * Nobody does anything but join: each session ends by itself, and with it the place that the next one gets.
 *
 * @returns how long each place was free, in milliseconds, from the shortest to the longest
 */
export async function watchRefills(world: World, inside: number, turnovers: number): Promise<readonly number[]> {
  const concert = await world.openHall({ activeMax: inside, sessionSeconds: SESSION_SECONDS });
  const line = await joinLine(await world.fans(inside + turnovers), concert);
  const admissions = async () =>
    (
      await world.pool.query<{ sequence: string; happened_at: Date }>(
        `SELECT sequence, happened_at FROM queue_events WHERE concert_id = $1 AND kind = 'admitted'
         ORDER BY logged_ms, logged_counter, logged_index`,
        [concert],
      )
    ).rows;
  await until('everybody was let in', async () => (await admissions()).length === line.length);

  const admitted = await admissions();
  expect(admitted.map(({ sequence }) => Number(sequence))).toEqual(line.map(({ sequence }) => sequence));
  const refills = admitted.slice(inside).map(({ happened_at: at }, index) => {
    const ended = (admitted[index]?.happened_at.getTime() ?? Number.NaN) + 1_000 * SESSION_SECONDS;
    return at.getTime() - ended;
  });
  expect(Math.min(...refills)).toBeGreaterThanOrEqual(0);
  return refills.toSorted((a, b) => a - b);
}
