import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const document = readFileSync('docs/design/erd.md', 'utf8');

test('the diagram of the tables is generated from schema.prisma as it is now', () => {
  const check = () => execFileSync(process.execPath, ['src/commands/erd.ts', '--check'], { stdio: 'pipe' });
  expect(check).not.toThrow();
});

test('the diagram shows every table and column of the migrations', () => {
  const scripts = readdirSync('prisma/migrations', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readFileSync(`prisma/migrations/${name}/migration.sql`, 'utf8'));
  const made = scripts
    .flatMap((sql) => [...sql.matchAll(/CREATE TABLE (\w+) \((.+?)\n\);/gs)])
    .map(([, table = '', body = '']) => [
      table,
      [...body.matchAll(/^ {2}(?!CONSTRAINT)(\w+) /gm)].map(([, column]) => column).sort(),
    ]);
  const shown = [...document.matchAll(/^ {2}(\w+) \{\n(.+?)\n {2}\}/gms)].map(([, table = '', body = '']) => [
    table,
    [...body.matchAll(/^ +\S+ (\w+)/gm)].map(([, column]) => column).sort(),
  ]);

  expect(made.length).toBeGreaterThan(10);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(made));
});
