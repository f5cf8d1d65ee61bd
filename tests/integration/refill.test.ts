import { expect, test } from 'vitest';
import { joinLine } from '#tests/support/crowd.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

const INSIDE = 20;
const TURNOVERS = 200;
const SESSION_SECONDS = 1;
/** As the settings have it. */
const TICK_MS = '100';
/** Of a machine that everything shares; what it takes on a quiet one is for the benchmark to say. */
const REFILL_MS_MAX = 500;

const world = await startWorld({ instances: 3, settings: { ADMISSION_TICK_MS: TICK_MS } });

test('when sessions run out, each place goes to the next at once, two hundred times over', async () => {
  const concert = await world.openHall({ activeMax: INSIDE, sessionSeconds: SESSION_SECONDS });
  const line = await joinLine(await world.fans(INSIDE + TURNOVERS), concert);
  const admissions = async () =>
    (
      await world.pool.query<{ sequence: string; happened_at: Date }>(
        `SELECT sequence, happened_at FROM line_events WHERE concert_id = $1 AND kind = 'admitted'
         ORDER BY logged_ms, logged_counter, logged_index`,
        [concert],
      )
    ).rows;
  await until('everybody was let in', async () => (await admissions()).length === line.length, 30_000);

  const admitted = await admissions();
  expect(admitted.map(({ sequence }) => Number(sequence))).toEqual(line.map(({ sequence }) => sequence));
  // Nobody does anything: each session ends by itself, and with it the place that the next one gets.
  const refills = admitted.slice(INSIDE).map(({ happened_at: at }, index) => {
    const ended = (admitted[index]?.happened_at.getTime() ?? Number.NaN) + 1_000 * SESSION_SECONDS;
    return at.getTime() - ended;
  });
  expect(Math.min(...refills)).toBeGreaterThanOrEqual(0);
  expect(refills.toSorted((a, b) => a - b)[Math.floor(0.99 * refills.length)]).toBeLessThan(REFILL_MS_MAX);
});
