import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { callOf, functionSchema, functionSet } from '#adapters/postgres/client/function-set.ts';
import { functions, innerFunctions } from '#adapters/postgres/functions.ts';

// Each SQL function has one file, one caller, and one name.

const POSTGRES = new URL('../../../src/adapters/postgres/', import.meta.url);
const sources = readdirSync(POSTGRES, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|sql)$/.test(path) && !path.startsWith('generated/'))
  .map((path) => ({ path, text: readFileSync(new URL(path, POSTGRES), 'utf8') }));

const names = [...functionSet.keys()];
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, message: string) => message.toUpperCase());
const withoutComments = (sql: string) => sql.replace(/^\s*--.*$/gm, '');

test('every file of a SQL function is in the table, under its name in camel case', () => {
  expect(Object.entries(functions).map(([key, { name }]) => [key, name])).toEqual(
    Object.values(functions).map(({ name }) => [camelCase(name), name]),
  );
  const called = Object.values(functions).map(({ name }) => name);
  expect([...called, ...innerFunctions].toSorted()).toEqual(names);
});

test('a function that the service does not call is called by another one', () => {
  const callers = (name: string) =>
    sources.filter(
      ({ path, text }) =>
        path.endsWith('.sql') && !path.endsWith(`/${name}.sql`) && withoutComments(text).includes(`${name}(`),
    );
  expect(innerFunctions.filter((name) => callers(name).length === 0)).toEqual([]);
});

test('no statement calls a function past the table', () => {
  const anyCall = new RegExp(`\\b(${names.join('|')})\\(`);
  const statements = sources.filter(({ path }) => path.endsWith('.ts'));
  expect(statements.filter(({ text }) => anyCall.test(text)).map(({ path }) => path)).toEqual([]);
});

describe('a call', () => {
  test('names the schema of this version, and has a placeholder for each parameter', () => {
    expect(functionSchema).toMatch(/^frontrow_[0-9a-f]{12}$/);
    expect(callOf('recall_answer')).toBe(`${functionSchema}.recall_answer($1, $2, $3)`);
  });

  test('of a function without a file fails', () => {
    expect(() => callOf('sell_twice')).toThrow('there is no file for the SQL function sell_twice');
  });
});
