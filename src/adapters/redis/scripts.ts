import { readFileSync } from 'node:fs';
import { guarded } from './client/failures.ts';
import type { RedisClient } from './client/redis-client.ts';

/**
 * What must be atomic in Redis: one Lua file each, run by its digest. Keys come first, all of them in KEYS.
 * Replies are integers, strings or flat arrays of them.
 */
function script<Reply>(room: string, name: string) {
  const loaded: Script<Reply> = { name: `frontrow_${name}`, lua: read(room, name) };
  return loaded;
}

/** A script of a line: it takes all keys of the line, and begins with what such scripts have in common. */
function lineScript<Reply>(name: string) {
  const loaded: Script<Reply> = {
    name: `frontrow_line_${name}`,
    lua: `${read('queue', 'shared')}\n${read('queue', name)}`,
  };
  return loaded;
}

function read(room: string, name: string): string {
  return readFileSync(new URL(`./${room}/lua/${name}.lua`, import.meta.url), 'utf8');
}

type Script<Reply> = {
  readonly name: string;
  readonly lua: string;
  /** Carries the type only. */
  readonly of?: () => Reply;
};

export type Unopened = ['unopened'];
export type JoinOutcome =
  | 'drawn'
  | 'waiting'
  | 'back'
  | 'active'
  | 'full'
  | 'closed'
  | 'enrolled'
  | 'registered'
  | 'placed';
export type FindOutcome = 'waiting' | 'back' | 'registered' | 'active' | 'over' | 'unsure';
/** Empty until somebody has registered for lots to be drawn. */
export type DrawState = '' | 'registering' | 'closed' | 'placing' | 'drawn';

export const scripts = {
  join: lineScript<
    | Unopened
    | ['settling']
    | [
        'joined',
        epoch: string,
        frontier: number,
        endedBytes: number,
        turnover: string,
        among: number,
        ...(string | number)[],
      ]
  >('join'),
  find: lineScript<
    | Unopened
    | ['settling']
    | ['redrawn']
    | ['ended']
    | ['found', frontier: number, endedBytes: number, turnover: string, ...(string | number)[]]
  >('find'),
  extend: lineScript<0 | 1>('extend'),
  leave: lineScript<-1 | 0 | 1>('leave'),
  see: lineScript<0 | 1>('see'),
  end: lineScript<0 | 1>('end'),
  survey: lineScript<
    | Unopened
    | [
        epoch: string,
        frontier: number,
        drawn: number,
        waiting: number,
        active: number,
        absent: number,
        turnover: string,
        registered: number,
        endedBytes: number,
        rebuildingMs: number,
        rebuiltAt: string,
        state: DrawState,
        count: number,
        seed: string,
        now: number,
        ticks: string,
      ]
  >('survey'),
  open: lineScript<0 | 1>('open'),
  admit: lineScript<
    Unopened | ['admitted', admitted: number, expired: number, passedOver: number, active: number, waiting: number]
  >('admit'),
  close: lineScript<number>('close'),
  begin: lineScript<0 | 1>('begin'),
  place: lineScript<0 | 1>('place'),
  finish: lineScript<0 | 1>('finish'),
  claim: script<number[]>('seats', 'claim'),
  prolong: script<number>('seats', 'prolong'),
  keep: script<number>('seats', 'keep'),
  release: script<number>('seats', 'release'),
  putBack: script<number>('seats', 'put-back'),
  confirm: script<number>('seats', 'confirm'),
  endTurn: script<0 | 1>('seats', 'end-turn'),
  publish: script<0 | 1>('events', 'publish'),
  count: script<number[]>('limits', 'count'),
};

/** The scripts as ioredis wants them on connecting: it sends the digest, and the text where a server does not know it. */
export const definitions = Object.fromEntries(Object.values(scripts).map(({ name, lua }) => [name, { lua }]));

/** Runs a script; `unavailable` when Redis is. */
export function run<Reply>(
  redis: RedisClient,
  script: Script<Reply>,
  keys: readonly string[],
  ...values: readonly (string | number | Buffer)[]
): Promise<Reply> {
  const command = Reflect.get(redis, script.name) as (...args: unknown[]) => Promise<Reply>;
  return guarded(() => command.call(redis, keys.length, ...keys, ...values));
}
