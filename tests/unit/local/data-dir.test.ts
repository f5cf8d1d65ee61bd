import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeDataDir } from '#local/data-dir.ts';

let above: string;
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'frontrow-data-'));
});
afterEach(() => rm(above, { recursive: true }));

describe('taking the data directory', () => {
  it('succeeds for exactly one of many at the same time', async () => {
    const dir = join(above, 'data');
    const entries = await Promise.allSettled(Array.from({ length: 20 }, () => takeDataDir(dir)));
    expect(entries.filter((entry) => entry.status === 'fulfilled')).toHaveLength(1);
    for (const entry of entries) {
      if (entry.status === 'rejected') expect(entry.reason).toMatchObject({ name: 'LocalProblem' });
      else await entry.value.release();
    }
  });

  it('names the process that has it and the ways out', async () => {
    const { release } = await takeDataDir(above);
    await expect(takeDataDir(above)).rejects.toThrow(
      new RegExp(`already running on ${above}: process ${process.pid}\\..*kill ${process.pid}.*DATABASE_URL`, 's'),
    );
    await release();
  });

  it('is possible again after a release', async () => {
    await (await takeDataDir(above)).release();
    await (await takeDataDir(above)).release();
  });
});
