import { afterAll, expect, test } from 'vitest';
import { documentOf } from '#tests/load/queries/document.ts';
import { explainerOf } from '#tests/load/queries/explainer.ts';
import { fillBooks } from '#tests/load/queries/fill-books.ts';
import { hotCommands } from '#tests/load/queries/hot-commands.ts';
import { measure } from '#tests/load/queries/measure.ts';
import { contradictions } from '#tests/support/books.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';

// What `npm run queries` does with ten million seats, with ten thousand.

const databaseUrl = await freshDatabase();
await fillBooks(databaseUrl, { concerts: 5, datesEach: 4, seatsEach: 500, users: 1_000 }, () => {});
const explainer = await explainerOf(databaseUrl);
afterAll(explainer.close);
const { pool } = explainer.postgres;

test('the books that queries are measured on contradict nothing', async () => {
  const { rows } = await pool.query('SELECT count(*)::integer AS seats FROM seats');
  expect(rows).toEqual([{ seats: 10_000 }]);
  expect(await contradictions(pool)).toEqual([]);
});

test('each hot command is explained with and without its indexes, and leaves nothing behind', async () => {
  const before = await pool.query('SELECT count(*) FROM reservations');
  const commands = await hotCommands(explainer.postgres);
  const measured = await measure(explainer, commands, ['seats'], () => {});

  expect(measured.faults).toEqual([]);
  const indexes = new Set(measured.comparisons.map(({ index }) => index));
  expect([...indexes]).toEqual(
    expect.arrayContaining(['seats_pkey', 'reservations_live_by_user', 'ledger_entries_transaction_id_idx']),
  );
  expect(measured.comparisons.filter(({ before: without }) => typeof without === 'string')).toEqual([]);
  const held = measured.comparisons.find(
    ({ command, index }) => command === 'hold two seats' && index === 'seats_pkey',
  );
  expect(held?.after.plan).toContain('Index Scan using seats_pkey');
  expect(held?.before).toMatchObject({ tablesReadWhole: ['seats'] });
  expect((await pool.query('SELECT count(*) FROM reservations')).rows).toEqual(before.rows);
  expect(documentOf(measured.comparisons, [], '18')).toContain('### hold two seats');
});

test('a hot statement that reads a large table as a whole is a fault', async () => {
  const everything = { run: () => pool.query('SELECT sum(price) FROM seats') };
  const { faults } = await measure(explainer, { everything }, ['seats'], () => {});
  expect(faults).toEqual(['everything: SELECT sum(price) FROM seats reads seats as a whole']);
});
