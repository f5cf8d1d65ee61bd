import { afterAll, describe, expect, test } from 'vitest';
import { documentOf, planFilesOf } from '#tests/load/queries/document.ts';
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

test('the books that queries are measured on have no contradictions', async () => {
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
  // With this key goes the one by which the seats of a reservation end with it.
  const failing = measured.comparisons.filter(({ before: without }) => typeof without === 'string');
  expect(new Set(failing.map(({ command, index }) => `${command} ${index}`))).toEqual(
    new Set(['hold a seat that somebody had until now reservations_reservation_id_status_key']),
  );
  const held = measured.comparisons.find(
    ({ command, index }) => command === 'hold two seats' && index === 'seats_pkey',
  );
  expect(held?.after.plan).toContain('Index Scan using seats_pkey');
  expect(held?.before).toMatchObject({ tablesReadWhole: ['seats'] });
  expect((await pool.query('SELECT count(*) FROM reservations')).rows).toEqual(before.rows);
  expect(documentOf(measured.comparisons, [], '18')).toContain('| hold two seats |');
  expect(planFilesOf(measured.comparisons).get('hold-two-seats.md')).toContain('Index Scan using seats_pkey');
});

describe('a query without information is a fault', () => {
  test('a command that finds nothing, and with it its unused indexes', async () => {
    const { 'find a session on record': asked } = await hotCommands(explainer.postgres);
    if (asked === undefined) throw new RangeError('it is not asked any more');
    const emptied = { ...asked, given: () => pool.query('DELETE FROM queues') };
    const { faults } = await measure(explainer, { emptied }, [], () => {});
    expect(faults).toContain('emptied finds nothing');
    expect(faults).toContainEqual(expect.stringMatching(/it never comes to it that .* looks into queue_events/));
  });

  test('not an index that another command uses by the same statement', async () => {
    const seat = 'SELECT s.price FROM users JOIN seats s ON s.seat_number = $2 WHERE user_id = $1 LIMIT 1';
    const { rows } = await pool.query<{ id: string }>('SELECT user_id AS id FROM users LIMIT 1');
    const ask = (user: string | undefined) => ({ run: async () => (await pool.query(seat, [user, 1])).rows });
    const commands = { stranger: ask('00000000-0000-0000-0000-000000000000'), known: ask(rows[0]?.id) };
    const { faults } = await measure(explainer, commands, [], () => {});
    expect(faults).toEqual(['stranger finds nothing']);
  });
});

test('the plan without an index is left out if it reads no more rows', () => {
  const run = (pages: number) => ({
    ...{ query: 'SELECT 1', milliseconds: 0.5, pages, plan: `the plan of ${pages}` },
    ...{ indexes: ['by_key'], indexesNotReached: [], tablesReadWhole: [] },
  });
  const written = (before: number) =>
    planFilesOf([{ command: 'one', index: 'by_key', after: run(10), before: run(before) }]).get('one.md');
  expect(written(10)).toContain('Without by_key: 10 pages, 0.50 ms.');
  expect(written(11)).toContain('Without by_key:\n\n```\nthe plan of 11');
});

test('a hot statement that reads a large table as a whole is a fault', async () => {
  const everything = { run: () => pool.query('SELECT sum(price) FROM seats') };
  const { faults } = await measure(explainer, { everything }, ['seats'], () => {});
  expect(faults).toEqual(['everything: SELECT sum(price) FROM seats reads seats as a whole']);
});
