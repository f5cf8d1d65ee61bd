import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scripts } from '#adapters/redis/scripts.ts';

const REDIS = fileURLToPath(new URL('../../../src/adapters/redis/', import.meta.url));
const files = new Map(
  readdirSync(REDIS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.lua'))
    .map((path) => [path, readFileSync(join(REDIS, path), 'utf8')]),
);
/** Functions that stand before scripts. */
const PARTS = ['queue/lua/shared.lua', 'queue/lua/silence.lua'];
const bodies = Object.entries(scripts).map(([name, { lua, args }]) => {
  const [path = '', body = ''] = [...files].find(([path, text]) => !PARTS.includes(path) && lua.includes(text)) ?? [];
  return { name, path, body, args };
});

/** The locals that a script gives its arguments, in the order of ARGV. */
function argumentsIn(body: string): string[] {
  const named = new Map<number, string>();
  for (const [, locals = '', values = ''] of body.matchAll(/^local ([\w, ]+) =\s+([^\n]*ARGV\[[^\n]*)$/gm)) {
    const names = locals.split(', ');
    for (const [at, value] of values.split(/, (?![^(]*\))/).entries()) {
      const index = /ARGV\[(\d+)\]/.exec(value)?.[1];
      if (index !== undefined) named.set(Number(index), names[at] ?? '');
    }
  }
  return [...named].toSorted(([a], [b]) => a - b).map(([, name]) => name);
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe('the scripts', () => {
  it.each(bodies)('$name takes the arguments that $path names, in their order', ({ body, args }) => {
    expect(args.map(snakeCase)).toEqual(argumentsIn(body));
  });

  it('are all files, apart from those that stand before others', () => {
    expect(bodies.map(({ path }) => path).toSorted()).toEqual(
      [...files.keys()].filter((path) => !PARTS.includes(path)).toSorted(),
    );
  });

  it('would fail the test if arguments changed places', () => {
    expect(argumentsIn('local user, epoch = ARGV[2], ARGV[1]\nlocal ms = tonumber(ARGV[3])')).toEqual([
      'epoch',
      'user',
      'ms',
    ]);
  });
});
