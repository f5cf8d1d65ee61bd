import type { ServerProcess } from '#tests/load/processes.ts';
import { inParallel } from '#tests/support/in-parallel.ts';

/** The instances, as an operator runs them: what is gone is replaced. */
export type Fleet = {
  readonly urls: readonly string[];
  /** Kills the oldest without a farewell and starts another, of which it tells when it is ready. */
  replaceOldest(): Promise<void>;
  /** Processor time of all of them so far, of who is gone too. */
  cpuSeconds(): number;
};

export async function startFleet(
  instances: number,
  start: () => Promise<ServerProcess>,
  say: (line: string) => void,
): Promise<Fleet> {
  // One after the other: starting is work, and they share the cores.
  const running = await inParallel(Array.from({ length: instances }), 1, start);
  let spentSeconds = 0;
  return {
    get urls() {
      return running.map(({ url }) => url);
    },
    async replaceOldest() {
      const oldest = running.shift();
      if (oldest === undefined) throw new RangeError('there is no instance to kill');
      spentSeconds += oldest.cpuSeconds();
      await oldest.kill();
      say('An instance was killed.');
      running.push(await start());
      say('Another one has taken its place.');
    },
    cpuSeconds: () => running.reduce((sum, server) => sum + server.cpuSeconds(), spentSeconds),
  };
}
