import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onFreePort } from './free-port.ts';
import { handOver } from './hand-over.ts';
import { startLeashed } from './leashed-server.ts';
import { redisBinary } from './redis-binary.ts';
import { keptSecret } from './secrets.ts';
import type { ServerHome } from './server-home.ts';

type RedisPlan = { readonly home: ServerHome; readonly durable: boolean; say(line: string): void };

export async function startRedis({ home, durable, say }: RedisPlan): Promise<{ url: string; stop(): Promise<void> }> {
  const command = await redisBinary(say);
  const data = join(home.dir, 'redis');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await handOver(data);
  const password = await keptSecret(join(home.dir, 'redis-password'));

  return onFreePort(async (port) => {
    // In a file, as every user of the machine can read a process's arguments.
    const settingsPath = join(home.dir, 'redis.conf');
    await writeFile(settingsPath, settings({ port, data, password, durable }), { mode: 0o600 });
    await handOver(settingsPath);
    const { stop } = await startLeashed({
      name: 'Redis',
      command,
      args: [settingsPath],
      ...(home.runAs === undefined ? {} : { runAs: home.runAs }),
      stopSignal: 'SIGTERM',
      recordPath: join(home.dir, 'redis-process.json'),
      logPath: join(home.dir, 'redis.log'),
      ready: () => isReady(port, password),
      say,
    });
    return { url: `redis://:${password}@127.0.0.1:${port}`, stop };
  });
}

type RedisSettings = {
  readonly port: number;
  readonly data: string;
  readonly password: string;
  readonly durable: boolean;
};

function settings({ port, data, password, durable }: RedisSettings): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(data)}`,
    // Queue and hold keys must never be evicted. Without memory, writes fail.
    'maxmemory-policy noeviction',
    // Only the append-only file, at most a second behind. A snapshot would double the memory while it is written.
    'save ""',
    `appendonly ${durable ? 'yes' : 'no'}`,
    'appendfsync everysec',
    '',
  ].join('\n');
}

/** Uses Redis's inline protocol, which needs no client library. Redis answers -LOADING while it reads its file. */
async function isReady(port: number, password: string): Promise<boolean> {
  const socket = createConnection({ port, host: '127.0.0.1', timeout: 1_000 });
  socket.on('timeout', () => socket.destroy());
  socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`);
  try {
    return (await text(socket)).includes('+PONG');
  } catch {
    return false;
  }
}
