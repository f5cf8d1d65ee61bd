import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { guarded } from './failures.ts';

/**
 * What must be atomic in Redis: one Lua file each, run by its digest. Keys come first, all of them in KEYS.
 * Replies are integers, strings or flat arrays of them.
 */
function script<Reply>(name: string, keys: number | 'any') {
  const lua = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
  const loaded: Script<Reply> = { name: `frontrow_${name}`, keys, lua };
  return loaded;
}

type Script<Reply> = {
  readonly name: string;
  readonly keys: number | 'any';
  readonly lua: string;
  /** Carries the type only. */
  readonly of?: () => Reply;
};

export const scripts = {
  join: script<
    | ['full']
    | [outcome: 'drawn' | 'waiting' | 'active', epoch: string, sequence: number, joined: number, detail: number]
  >('join', 10),
  find: script<['waiting', position: number, turnover: string] | ['active', ends: number] | ['expired']>('find', 9),
  extend: script<0 | 1>('extend', 3),
  leave: script<0 | 1>('leave', 7),
  admit: script<[admitted: number, expired: number, passedOver: number, active: number, waiting: number]>('admit', 12),
  figures: script<[waiting: number, active: number, absent: number, drawn: number, turnover: string]>('figures', 6),
  claim: script<['claimed'] | ['repeated'] | ['taken', ...indices: number[]]>('claim', 'any'),
  keep: script<number>('keep', 'any'),
  release: script<number>('release', 'any'),
};

/** The scripts as ioredis wants them on connecting: it sends the digest, and the text where a server does not know it. */
export const definitions = Object.fromEntries(Object.values(scripts).map(({ name, lua }) => [name, { lua }]));

/** Runs a script; `unavailable` when Redis is. */
export function run<Reply>(
  redis: Redis,
  script: Script<Reply>,
  keys: readonly string[],
  ...values: readonly (string | number)[]
): Promise<Reply> {
  const { name, keys: count } = script;
  if (count !== 'any' && keys.length !== count) throw new RangeError(`${name} takes ${count} keys, not ${keys.length}`);
  const command = Reflect.get(redis, name) as (...args: unknown[]) => Promise<Reply>;
  return guarded(() => command.call(redis, keys.length, ...keys, ...values));
}
