import { onFreePort } from '#local/free-port.ts';
import { endAfterwards, type RedisProcess, startRedisProcess } from './redis-process.ts';
import { temporaryDir } from './temporary-dir.ts';

/** A Redis that a test may take away. It writes its log, so it comes back with what it knew. */
export type OwnRedis = Pick<RedisProcess, 'kill' | 'freeze' | 'thaw'> & {
  readonly url: string;
  /** Starts it again where it was, once it was killed. */
  restart(): Promise<void>;
};

/** Called at the top of a test file, where hooks are registered. */
export async function ownRedis(): Promise<OwnRedis> {
  const dir = await temporaryDir();
  const start = (port: number) => {
    const log = ['--appendonly', 'yes', '--save', ''];
    return startRedisProcess(port, ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir.path, ...log]);
  };
  let server: RedisProcess | undefined = await onFreePort(start);
  const { port } = server;
  endAfterwards(() => (server === undefined ? [] : [server]), dir);
  return {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      await server?.kill();
      server = undefined;
    },
    async restart() {
      server ??= await start(port);
    },
    freeze: () => server?.freeze(),
    thaw: () => server?.thaw(),
  };
}
