import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { recordColumns, seatChanges } from '#domain/records/records.ts';

const document = readFileSync(new URL('../../../docs/reference/exports.md', import.meta.url), 'utf8');
const rows = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));

it.each(Object.entries(recordColumns))(
  'docs/reference/exports.md names the columns of %s, in their order',
  (kind, columns) => {
    const [, , described = ''] = rows.find((cells) => cells[1] === `\`${kind}\``) ?? [];
    expect(described.split(':', 1)[0]?.split(', ')).toEqual(columns);
  },
);

it('docs/reference/exports.md explains every change of a seat', () => {
  const explained = rows.flatMap(([, name = '']) => (/^`[a-z]+`$/.test(name) ? [name.slice(1, -1)] : []));
  // Besides the kinds of exports, and the head of the table itself.
  expect(explained.filter((name) => !(name in recordColumns) && name !== 'change')).toEqual(seatChanges);
});
