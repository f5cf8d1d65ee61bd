import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { reaped } from '../reaper.ts';
import { until } from '../until.ts';

export const CONDITIONS = ['quiet', 'busy', 'confined'] as const;
export type Condition = (typeof CONDITIONS)[number];

/** Where one run at a time goes on: a control group, or the whole machine. */
export type Place = {
  /** Put before a command. */
  readonly prefix: readonly string[];
  /** Waits until no process of a run is left, and says what is. */
  emptied(): Promise<readonly string[]>;
};

const BUSY_LOOPS = 4;
const PERIOD_US = 100_000;
/** Of all cores. */
const SHARE = 1 / 3;
const CGROUPS = '/sys/fs/cgroup';

const WHOLE_MACHINE: Place = { prefix: [], emptied: async () => [] };

/** Makes the condition, does the work in it and takes it away again, however the work ends. */
export async function underCondition(
  condition: Condition,
  atOnce: number,
  ending: AsyncDisposableStack,
  work: (places: readonly Place[], how: string) => Promise<void>,
): Promise<void> {
  await using own = new AsyncDisposableStack();
  // Also when the command is interrupted, which leaves this function where it is.
  ending.defer(() => own.disposeAsync());
  // The work is awaited in here: what it needs is taken away when this function returns.
  if (condition === 'quiet') return await work([WHOLE_MACHINE], 'nothing else is started');
  if (condition === 'busy') {
    startLoops(BUSY_LOOPS, own);
    return await work(Array(atOnce).fill(WHOLE_MACHINE), `${BUSY_LOOPS} busy loops beside ${atOnce} at once`);
  }
  const places: Place[] = [];
  while (places.length < atOnce) {
    const place = await controlGroup(`frontrow-stress-${process.pid}-${places.length}`, own).catch(() => undefined);
    if (place === undefined) break;
    places.push(place);
  }
  if (places.length > 0)
    return await work(places, `each run in a control group with a third of ${availableParallelism()} cores`);
  // Each of them gets what each process of the tests gets, of which about as many are busy as there are cores.
  const loops = Math.round(availableParallelism() * (1 / SHARE - 1));
  startLoops(loops, own);
  return await work([WHOLE_MACHINE], `no control group can be made: ${loops} busy loops beside it`);
}

function startLoops(count: number, ending: AsyncDisposableStack): void {
  for (let i = 0; i < count; i++) {
    const loop: ChildProcess = reaped(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    const ended = once(loop, 'exit');
    ending.defer(async () => {
      loop.kill('SIGKILL');
      await ended;
    });
  }
}

/** @throws Error where there are none, or where they are not ours to make */
async function controlGroup(name: string, ending: AsyncDisposableStack): Promise<Place> {
  const quotaUs = Math.round(PERIOD_US * availableParallelism() * SHARE);
  const isV2 = await readFile(join(CGROUPS, 'cgroup.controllers'), 'utf8').then(
    () => true,
    () => false,
  );
  const dir = join(CGROUPS, isV2 ? '' : 'cpu', name);
  await mkdir(dir);
  const members = async () => (await readFile(join(dir, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
  const none = async () => (await members()).length === 0;
  ending.defer(async () => {
    await until('no process is in the control group', none);
    await rmdir(dir);
  });
  if (isV2) await writeFile(join(dir, 'cpu.max'), `${quotaUs} ${PERIOD_US}`);
  else {
    await writeFile(join(dir, 'cpu.cfs_period_us'), String(PERIOD_US));
    await writeFile(join(dir, 'cpu.cfs_quota_us'), String(quotaUs));
  }
  return {
    prefix: ['/bin/sh', '-c', `echo $$ > ${dir}/cgroup.procs && exec "$@"`, 'sh'],
    async emptied() {
      if (
        await until('no process is left', none).then(
          () => true,
          () => false,
        )
      )
        return [];
      const left = await members();
      const commands = left.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
      const names = (await Promise.all(commands)).map((command) => command.replaceAll('\0', ' ').trim());
      // The group could not be removed with a process in it.
      for (const pid of left) process.kill(Number(pid), 'SIGKILL');
      await until('what was left is killed', none);
      return names.map((name) => `left behind: ${name}`);
    },
  };
}
