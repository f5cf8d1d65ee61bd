import { expect } from 'vitest';
import { DATE, PRICE } from './hall.ts';
import { ADMIN_KEY, type Instance } from './instance.ts';
import { residentMegabytes } from './resident-megabytes.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const headers = { authorization: `Bearer ${ADMIN_KEY}` };
const WATCH_MS = 500;

/** An instance that could not keep what it exports. */
export const startSmall = (world: World, heapMegabytes: number): Promise<Instance> =>
  world.start({
    NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
    EXPORTS_MAX: '2',
    EXPORT_STALLED_SECONDS: '3600',
  });

/**
 * Exports so many rows from an instance with a small heap, and stops it in the end: to one client that takes them, and to one that does not. Both
 * are to be told all that they take, nobody waits for either, and nothing is left behind.
 *
 * @param rows enough of them that no buffer between server and client has room for their text: it is 290 bytes each
 * @returns by how many megabytes the memory of the instance grew meanwhile
 */
export async function exportManyRows(world: World, small: Instance, rows: number): Promise<number> {
  const concert = await world.openHall({ seats: 1 });
  await world.pool.query(
    `INSERT INTO seat_history (concert_id, date, seat_number, change, fence, price, changed_at)
     SELECT $1, $2, 1, 'blocked', n, $3, '2020-01-01' FROM generate_series(1, $4::integer) n`,
    [concert, DATE, PRICE, rows],
  );
  const path = `${small.url}/v1/admin/exports/seat-history?concertId=${concert}&until=2020-01-02T00:00:00.000Z`;
  const open = (format: string, init = {}) => fetch(`${path}&format=${format}`, { headers, ...init });
  // As it is once it has begun to serve.
  await fetch(`${path}&from=2020-01-02T00:00:00.000Z`, { headers }).then((answer) => answer.text());
  const before = await residentMegabytes(small.pid);
  let peak = before;
  const watching = setInterval(async () => {
    peak = Math.max(peak, await residentMegabytes(small.pid).catch(() => 0));
  }, WATCH_MS);

  const leaving = new AbortController();
  try {
    // Nobody takes it; and there is no room for a third.
    const slow = (await open('csv', { signal: leaving.signal })).body?.getReader();
    const fast = await open('ndjson');
    const third = await open('csv');
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await third.json()).toMatchObject({ code: 'busy' });
    expect(await countLines(fast)).toEqual({ lines: rows, lastFence: rows });
    clearInterval(watching);
    peak = Math.max(peak, await residentMegabytes(small.pid));

    // It goes on where it was, as long as its client wants it. A client that goes away leaves nothing behind.
    for (let chunks = 0; chunks < 50; chunks++) expect((await slow?.read())?.value?.length).toBeGreaterThan(0);
    const again = await open('csv');
    expect(again.status).toBe(200);
    await again.body?.cancel();
  } finally {
    clearInterval(watching);
    leaving.abort();
  }
  await until('nothing is under way', async () => {
    const both = await Promise.all([open('csv'), open('csv')]);
    await Promise.all(both.map(({ body }) => body?.cancel()));
    return both.every(({ status }) => status === 200);
  });
  await until('no connection is busy with it', async () => (await reading(world)) === 0);

  // An instance that stops waits for no client: what has come is not all, and the client is told so.
  let last = await open('ndjson');
  await until('it has begun', async () => {
    if (last.status !== 200) last = await open('ndjson');
    return last.status === 200;
  });
  const ended = small.end('SIGTERM');
  await expect(countLines(last)).rejects.toThrow();
  expect(await ended).toEqual({ code: 0, signal: null });
  return peak - before;
}

/** How many connections are at work on an export. */
async function reading({ pool }: World): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'frontrow'
       AND state <> 'idle' AND query LIKE 'WITH page%'`,
  );
  return Number(rows[0]?.count);
}

/** How many lines, and which fence the last one has, of JSON. */
async function countLines(response: Response): Promise<{ lines: number; lastFence: number }> {
  let [lines, tail] = [0, ''];
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    for (let at = chunk.indexOf('\n'); at !== -1; at = chunk.indexOf('\n', at + 1)) lines += 1;
    tail = (tail + chunk).slice(-1_000);
  }
  return { lines, lastFence: JSON.parse(tail.trim().split('\n').at(-1) ?? '').fence };
}
