import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordExports } from '#adapters/http/records/exports.ts';
import { Refusal } from '#domain/errors.ts';
import { recordColumns } from '#domain/records/records.ts';
import type { Records } from '#ports/records/records.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { until } from '#tests/support/until.ts';

const WANTED = { kind: 'refunds' } as const;
const LONG_MS = 60_000;
const wide = 'x'.repeat(100_000);

type Book = {
  readonly failsAt?: number;
  /** Whether the row of a page is. */
  readonly wanted?: (page: number) => boolean;
  /** How long it takes to read one. */
  readonly pageMs?: number;
};

/** Pages of one wide row each, and how many were read. */
function book(pages: number, { failsAt, wanted = () => true, pageMs }: Book = {}) {
  let [read, open] = [0, 0];
  const records: Pick<Records, 'read'> = {
    async *read() {
      open += 1;
      try {
        for (let page = 0; page < pages; page++) {
          if (page === failsAt) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
          read += 1;
          if (pageMs !== undefined) await pause(pageMs);
          yield wanted(page) ? [{ refundId: `r${page}`, userId: wide }] : [];
        }
      } finally {
        open -= 1;
      }
    },
  };
  return { records: records as Records, read: () => read, open: () => open };
}

describe('an export', () => {
  it('is a JSON object per line, or CSV with the names of the columns', async () => {
    const { records } = book(2);
    const exports = recordExports(records, { max: 1, stalledMs: LONG_MS });
    const lines = await text(await exports.open(WANTED, 'ndjson'));
    expect(lines.split('\n').map((line) => line.slice(0, 16))).toEqual(['{"refundId":"r0"', '{"refundId":"r1"', '']);
    const csv = (await text(await exports.open(WANTED, 'csv'))).split('\r\n');
    expect(csv[0]).toBe(recordColumns.refunds.join());
    expect(csv[2]).toBe(`r1,,,${wide},,,,,`);
    expect(csv).toHaveLength(4);
  });

  it('of no records is empty but for the column names', async () => {
    const exports = recordExports(book(0).records, { max: 1, stalledMs: LONG_MS });
    expect(await text(await exports.open(WANTED, 'ndjson'))).toBe('');
    expect(await text(await exports.open(WANTED, 'csv'))).toBe(`${recordColumns.refunds.join()}\r\n`);
  });

  it('reads no further than its client, and ends with it', async () => {
    const { records, read, open } = book(1_000);
    const exports = recordExports(records, { max: 1, stalledMs: LONG_MS });
    const stream = await exports.open(WANTED, 'ndjson');
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise(setImmediate);
    const before = read();
    expect(before).toBeLessThan(5);
    await new Promise(setImmediate);
    expect(read()).toBe(before);
    await iterator.return?.();
    await until('the book is closed', () => open() === 0);
  });

  it('is refused at the limit of running exports, until one has ended in any way', async () => {
    const { records } = book(3);
    const exports = recordExports(records, { max: 2, stalledMs: LONG_MS });
    const [one, other] = [await exports.open(WANTED, 'csv'), await exports.open(WANTED, 'csv')];
    const refused = () => expectRefusal(exports.open(WANTED, 'csv'), 'busy');
    await refused();
    one.destroy();
    await until('an export may run', () => one.closed);
    const third = await exports.open(WANTED, 'csv');
    await refused();
    await Promise.all([text(other), text(third)]);
    await Promise.all([exports.open(WANTED, 'csv'), exports.open(WANTED, 'csv')]);
    await refused();
  });

  it('that cannot begin is refused as the store refuses it, and counts no more', async () => {
    const exports = recordExports(book(3, { failsAt: 0 }).records, { max: 1, stalledMs: LONG_MS });
    for (let tries = 0; tries < 3; tries++) await expectRefusal(exports.open(WANTED, 'csv'), 'unavailable');
  });

  it('that fails on the way breaks off, and is visibly incomplete', async () => {
    const exports = recordExports(book(3, { failsAt: 2 }).records, { max: 1, stalledMs: LONG_MS });
    await expect(text(await exports.open(WANTED, 'csv'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(exports.open(WANTED, 'csv')).resolves.toBeDefined();
  });

  it('continues for a waiting client, however long no row matches', async () => {
    const { records } = book(40, { wanted: (page) => page === 39, pageMs: 25 });
    const exports = recordExports(records, { max: 1, stalledMs: 500 });
    expect(await text(await exports.open(WANTED, 'ndjson'))).toMatch(/^{"refundId":"r39"/);
  });

  it('without a matching row ends with its client or with the instance, too', async () => {
    const { records, read, open } = book(Number.POSITIVE_INFINITY, { wanted: () => false, pageMs: 1 });
    const exports = recordExports(records, { max: 1, stalledMs: LONG_MS });
    const left = await exports.open(WANTED, 'ndjson');
    let ends = 0;
    left.on('end', () => (ends += 1)).resume();
    await until('it is running', () => read() > 5);
    left.destroy();
    await until('an export may run', () => left.closed && open() === 0);
    const going = await exports.open(WANTED, 'ndjson');
    const before = read();
    going.on('end', () => (ends += 1)).resume();
    await until('the next is running', () => read() > before + 5);
    exports.close();
    await until('it has ended', () => going.closed && open() === 0);
    expect(ends).toBe(0);
  });

  it('breaks off when its client reads nothing, and when the instance stops', async () => {
    const { records, open } = book(1_000);
    const exports = recordExports(records, { max: 2, stalledMs: 20 });
    const left = await exports.open(WANTED, 'csv');
    left.on('error', () => {});
    await until('it is broken off', () => left.destroyed && open() === 0);
    const patient = recordExports(records, { max: 1, stalledMs: LONG_MS });
    const going = await patient.open(WANTED, 'csv');
    patient.close();
    await until('it has ended', () => going.destroyed && open() === 0);
    const late = await patient.open(WANTED, 'csv');
    expect(late.destroyed).toBe(true);
    await until('that, too', () => open() === 0);
  });
});
