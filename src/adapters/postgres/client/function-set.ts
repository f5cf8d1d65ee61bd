import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

// The SQL functions of this version: one file each, `<room>/sql/<name>.sql`, whose text is the current body. The whole set is
// installed into a schema named by its hash, and this version calls them there: see docs/design/decisions/0036.

export type SqlFunction = {
  readonly name: string;
  readonly parameterCount: number;
  /** The statement that creates it in the first schema of the search path. */
  readonly creation: string;
};

const ROOT = new URL('../', import.meta.url);
const FILE = /^[a-z]+\/sql\/([a-z_]+)\.sql$/;
const SIGNATURE = /^CREATE FUNCTION ([a-z_]+)\(([^)]*)\)/m;
const HASH_DIGITS = 12;

const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((path) => FILE.test(path))
  .map((path) => toSource(path, readFileSync(new URL(path, ROOT), 'utf8')));
const anyCall = new RegExp(`\\b(${sources.map(({ name }) => name).join('|')})\\(`, 'g');

/** By name. */
export const functionSet: ReadonlyMap<string, SqlFunction> = new Map(
  sources
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((source) => [source.name, { ...source, creation: creationOf(source) }]),
);

/** The schema of this version's functions. */
export const functionSchema = `frontrow_${hashOf([...functionSet.values()].map(({ creation }) => creation).join('\n'))}`;

/** A call of the function, with a placeholder for each parameter. */
export function callOf(name: string): string {
  const found = functionSet.get(name);
  if (found === undefined) throw new RangeError(`there is no file for the SQL function ${name}`);
  const placeholders = Array.from({ length: found.parameterCount }, (_, index) => `$${index + 1}`);
  return `${functionSchema}.${name}(${placeholders.join(', ')})`;
}

function toSource(path: string, sql: string) {
  const [, fileName] = FILE.exec(path) ?? [];
  const [, name, parameters = ''] = SIGNATURE.exec(sql) ?? [];
  if (name === undefined || name !== fileName) throw new SyntaxError(`${path} must create the function ${fileName}`);
  return { name, sql, parameterCount: parameters.trim() === '' ? 0 : parameters.split(',').length };
}

/**
 * A function that calls others of the set gets a search path of its own, whatever the session's is. The others go
 * without, as the clause costs time at each call and prevents inlining.
 */
function creationOf({ name, sql }: { readonly name: string; readonly sql: string }): string {
  const calls = [...sql.slice(sql.search(SIGNATURE)).matchAll(anyCall)].some(([, called]) => called !== name);
  return calls ? sql.replace(/;\s*$/, '\nSET search_path FROM CURRENT;\n') : sql;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}
