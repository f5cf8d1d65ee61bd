import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { onFreePort } from '#local/free-port.ts';
import { endAfterwards, type RedisProcess, startRedisProcess } from './redis-process.ts';
import { temporaryDir } from './temporary-dir.ts';
import { until } from './until.ts';

const MASTERS = 3;
const SLOTS = 16_384;
const HOST = '127.0.0.1';

/** With a client that speaks to this one alone. */
type Master = RedisProcess & { readonly busPort: number; readonly redis: Redis };

/** A cluster of three masters, without replicas, that nobody else uses. */
export type OwnCluster = {
  readonly url: string;
  readonly masters: readonly Master[];
  /** The master that a key is on. */
  masterOf(key: string): Promise<Master>;
  /** Moves the slot of these keys, and so all of them, to another master. */
  move(keys: readonly [string, ...string[]], target: Master): Promise<void>;
};

/** Called at the top of a test file, where hooks are registered. */
export async function ownCluster(): Promise<OwnCluster> {
  const dir = await temporaryDir();
  const masters: Master[] = [];
  endAfterwards(() => masters, dir);
  afterAll(() => {
    for (const { redis } of masters) redis.disconnect();
  });
  for (let index = 0; index < MASTERS; index++) masters.push(await startMaster(join(dir.path, String(index))));

  const [first] = masters as [Master];
  const firstSlotOf = (index: number) => Math.floor((index * SLOTS) / MASTERS);
  for (const [index, { redis }] of masters.entries()) {
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', firstSlotOf(index), firstSlotOf(index + 1) - 1);
    await redis.call('CLUSTER', 'MEET', HOST, first.port, first.busPort);
  }
  await until('every master knows the whole cluster', async () => {
    const states = await Promise.all(masters.map(({ redis }) => redis.cluster('INFO')));
    return states.every(
      (state) => /cluster_state:ok/.test(state) && state.includes(`cluster_known_nodes:${MASTERS}\r`),
    );
  });

  const slotOf = (key: string) => first.redis.cluster('KEYSLOT', key);
  const idOf = ({ redis }: Master) => redis.cluster('MYID');
  async function masterOf(key: string): Promise<Master> {
    const slot = await slotOf(key);
    for (const [from, to, node] of await first.redis.cluster('SLOTS')) {
      const master = masters.find(({ port }) => port === node?.[1]);
      if (from <= slot && slot <= to && master !== undefined) return master;
    }
    throw new RangeError(`nobody has slot ${slot}`);
  }
  return {
    url: `redis+cluster://${masters.map(({ port }) => `${HOST}:${port}`).join()}`,
    masters,
    masterOf,
    async move(keys, target) {
      const [slot, source] = [await slotOf(keys[0]), await masterOf(keys[0])];
      const targetId = await idOf(target);
      await target.redis.cluster('SETSLOT', slot, 'IMPORTING', await idOf(source));
      await source.redis.cluster('SETSLOT', slot, 'MIGRATING', targetId);
      await source.redis.migrate(HOST, target.port, '', 0, 5_000, 'KEYS', ...keys);
      for (const { redis } of [target, source]) await redis.cluster('SETSLOT', slot, 'NODE', targetId);
    },
  };
}

async function startMaster(dir: string): Promise<Master> {
  await mkdir(dir);
  // The bus between the nodes has a port of its own, which by default is too high for many a free port.
  const start = (port: number) =>
    onFreePort(async (busPort) => {
      const settings = {
        port,
        bind: HOST,
        dir,
        save: '',
        'cluster-enabled': 'yes',
        'cluster-port': busPort,
        'cluster-announce-ip': HOST,
        // A node that is merely slow is not taken for lost.
        'cluster-node-timeout': 30_000,
        'cluster-require-full-coverage': 'no',
      };
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
      return { ...(await startRedisProcess(port, args)), busPort, redis: new Redis(port, HOST) };
    });
  const master = await onFreePort(start);
  master.redis.on('error', () => {});
  return master;
}
