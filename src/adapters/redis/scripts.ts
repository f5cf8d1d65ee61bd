import { readFileSync } from 'node:fs';
import { guarded } from './client/failures.ts';
import type { RedisClient } from './client/redis-client.ts';

// Atomic work in Redis: one Lua file each, run by its digest. A unit test compares each script's arguments with its
// file.

type Value = string | number | Buffer;

type Script<Args, Reply> = {
  readonly name: string;
  readonly lua: string;
  /** Names of the arguments, in the order of ARGV; a list may follow them. */
  readonly args: readonly (keyof Args & string)[];
  /** Carries the types only. */
  readonly of?: (args: Args) => Reply;
};

/** @param path room and file. Replies are integers, strings or flat arrays of them. */
function script<Args extends Readonly<Record<string, Value>>, Reply>(
  path: `${string}/${string}`,
  ...args: readonly (keyof Args & string)[]
): Script<Args, Reply> {
  return { name: nameOf(path), lua: read(path), args };
}

/** A script of a queue: it takes all keys of the queue, and runs between the first and the last lines of shared.lua. */
function queueScript<Args extends Readonly<Record<string, Value>>, Reply>(
  file: string,
  ...args: readonly (keyof Args & string)[]
): Script<Args, Reply> {
  const path = `queue/${file}` as const;
  const own = [...(STANDS_BEFORE[file] ?? []), path].map(read).join('\n');
  const lua = `${read('queue/shared')}\nlocal function script()\n${own}\nend\nlocal reply = script()\nnote_parts()\nreturn reply`;
  return { name: nameOf(path), lua, args };
}

/** Functions in a file of their own, as the script would be too long with them. */
const STANDS_BEFORE: Readonly<Record<string, readonly string[]>> = { admit: ['queue/silence'] };

const nameOf = (path: string) => `frontrow_${path.replaceAll(/[/-]/g, '_')}`;

function read(path: string): string {
  const [room, file] = path.split('/');
  return readFileSync(new URL(`./${room}/lua/${file}.lua`, import.meta.url), 'utf8');
}

type NoArgs = Readonly<Record<never, never>>;
type Flag = 0 | 1;
/** Empty while the instance knows no draw. */
export type DrawCount = number | '';
export type Unopened = ['unopened'];
export type Unsurveyed = ['unsurveyed'];
export type JoinOutcome =
  | 'drawn'
  | 'waiting'
  | 'rejoined'
  | 'active'
  | 'full'
  | 'closed'
  | 'enrolled'
  | 'registered'
  | 'placed';
export type FindOutcome = 'waiting' | 'rejoined' | 'registered' | 'active' | 'ended' | 'unsure';
/** Empty until an entry has registered for a lottery. */
export type DrawState = '' | 'registering' | 'closed' | 'placing' | 'drawn';

type Joined = [
  reply: 'joined',
  epoch: string,
  head: number,
  endedBytes: number,
  lots: number,
  turnover: string,
  presentShare: string,
  ...answers: (string | number)[],
];
type Found = [
  reply: 'found',
  head: number,
  endedBytes: number,
  turnover: string,
  presentShare: string,
  ...answers: (string | number)[],
];
type Surveyed = [
  epoch: string,
  head: number,
  drawn: number,
  waiting: number,
  active: number,
  absent: number,
  turnover: string,
  presentShare: string,
  registered: number,
  endedBytes: number,
  rebuildingMs: number,
  memoryName: string,
  state: DrawState,
  count: number,
  seed: string,
];
type Admitted = [
  reply: 'admitted',
  admitted: number,
  expired: number,
  passedOver: number,
  active: number,
  waiting: number,
];

export const scripts = {
  /** Then one member per user. */
  join: queueScript<
    { waitingMax: number; holdsLottery: Flag; epochKnown: string; drawnKnown: number },
    Unopened | Unsurveyed | ['reporting'] | Joined
  >('join', 'waitingMax', 'holdsLottery', 'epochKnown', 'drawnKnown'),
  /** Then per entry: member, number, sequence, and when it joined, in ms, or 0 if it is known to have ended. */
  find: queueScript<
    { epoch: string; drawCountKnown: DrawCount; keepOpenMs: number; endedKnown: number; drawnKnown: number },
    Unopened | Unsurveyed | ['reporting'] | ['redrawn'] | ['other-epoch'] | Found
  >('find', 'epoch', 'drawCountKnown', 'keepOpenMs', 'endedKnown', 'drawnKnown'),
  extend: queueScript<{ user: string; number: number; epoch: string; extendMs: number }, Flag>(
    'extend',
    'user',
    'number',
    'epoch',
    'extendMs',
  ),
  leave: queueScript<
    { user: string; number: number; sequence: number; epoch: string; drawCountKnown: DrawCount },
    -1 | Flag
  >('leave', 'user', 'number', 'sequence', 'epoch', 'drawCountKnown'),
  /** Then the numbers. */
  touch: queueScript<{ epoch: string; drawCountKnown: DrawCount }, Flag>('touch', 'epoch', 'drawCountKnown'),
  noteEnded: queueScript<{ epoch: string; ended: Buffer }, Flag>('note-ended', 'epoch', 'ended'),
  survey: queueScript<
    { epochKnown: string; drawnKnown: number; headKnown: number; rebuildMs: number; reportMs: number },
    Unopened | Surveyed
  >('survey', 'epochKnown', 'drawnKnown', 'headKnown', 'rebuildMs', 'reportMs'),
  /** Then per session on record: member, number, the ms that remain, and when the entry joined, in ms, or 0. */
  open: queueScript<
    {
      epoch: string;
      drawn: number;
      headKnown: number;
      rebuildMs: number;
      reportMs: number;
      state: DrawState;
      count: number;
      seed: string;
      ended: Buffer;
    },
    Flag
  >('open', 'epoch', 'drawn', 'headKnown', 'rebuildMs', 'reportMs', 'state', 'count', 'seed', 'ended'),
  admit: queueScript<
    {
      activeMax: number;
      soldOut: Flag;
      /** Empty without a limit. */
      soldOutActiveMax: number | '';
      perWindow: number;
      windowMs: number;
      sessionMs: number;
      claimMs: number;
      absentS: number;
      graceMs: number;
      pollMs: number;
      paused: Flag;
      batchMax: number;
      longestHoldMs: number;
      channel: string;
      concert: string;
    },
    Unopened | Unsurveyed | Admitted
  >(
    'admit',
    'activeMax',
    'soldOut',
    'soldOutActiveMax',
    'perWindow',
    'windowMs',
    'sessionMs',
    'claimMs',
    'absentS',
    'graceMs',
    'pollMs',
    'paused',
    'batchMax',
    'longestHoldMs',
    'channel',
    'concert',
  ),
  close: queueScript<NoArgs, number>('close'),
  begin: queueScript<{ count: number; seed: string }, Flag>('begin', 'count', 'seed'),
  /** Per entry: member, sequence and number. */
  place: queueScript<NoArgs, Flag>('place'),
  finish: queueScript<{ ended: Buffer; channel: string; concert: string }, Flag>(
    'finish',
    'ended',
    'channel',
    'concert',
  ),
  /** Then per command: user, hold key's value, and number of seats. */
  acquire: script<{ ttlMs: number }, number[]>('seats/acquire', 'ttlMs'),
  prolong: script<{ holder: string; ttlMs: number }, number>('seats/prolong', 'holder', 'ttlMs'),
  keep: script<{ holder: string; ttlMs: number }, number>('seats/keep', 'holder', 'ttlMs'),
  release: script<{ holder: string }, number>('seats/release', 'holder'),
  /** Then per event: id, type, aggregate, its sequence, time and data. */
  publish: script<{ fence: number; lengthMax: number }, Flag>('events/publish', 'fence', 'lengthMax'),
  count: script<{ windowMs: number }, number[]>('limits/count', 'windowMs'),
};

/** The scripts for ioredis, which sends the digest, and the text to a server that does not know it. */
export const definitions = Object.fromEntries(Object.values(scripts).map(({ name, lua }) => [name, { lua }]));

/** Runs a script. Refuses `unavailable` when Redis is. */
export function run<Args, Reply>(
  redis: RedisClient,
  { name, args: names }: Script<Args, Reply>,
  keys: readonly string[],
  args: Args,
  list: readonly Value[] = [],
): Promise<Reply> {
  const command = Reflect.get(redis, name) as (...args: unknown[]) => Promise<Reply>;
  return guarded(() => command.call(redis, keys.length, ...keys, ...names.map((arg) => args[arg]), ...list));
}
