import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { guarded } from '#adapters/redis/client/failures.ts';
import { redisServersOf } from '#config/redis-servers.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { expectUnreachable } from '#tests/support/expect-unreachable.ts';
import { ownSentinel } from '#tests/support/own-sentinel.ts';
import { until } from '#tests/support/until.ts';

/** Longer than the test may take: what is refused sooner did not wait for it. */
const NEVER_MS = 600_000;
const LIMIT_MS = 1_000;
const WRITERS = 20;

// It is given up after a while, in which others connect.
const nowhere = connectRedis(
  { sentinels: [{ host: '127.0.0.1', port: 1 }], primaryName: 'any', tls: false, commandTimeoutMs: NEVER_MS },
  () => {},
);
const own = await ownSentinel();
const servers = redisServersOf(own.url);
const hasty = await connectRedis({ ...servers, commandTimeoutMs: LIMIT_MS }, () => {});
const patient = await connectRedis({ ...servers, commandTimeoutMs: NEVER_MS }, () => {});
const successor = new Redis(own.replica.port);
afterAll(async () => {
  await hasty.close();
  await patient.close();
  successor.disconnect();
});

test('when the primary is killed, commands fail fast, then work on its successor, and none is executed twice', async () => {
  const channel = `test:${randomUUID()}`;
  const heard: string[] = [];
  await hasty.subscribe(channel, (message) => heard.push(message));

  const failures: Promise<unknown>[] = [];
  let [succeeded, succeededAt, over] = [0, 0, false];
  const writing = Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (!over) {
        const sent = performance.now();
        const command = guarded(() => hasty.redis.incr(`test:${randomUUID()}`));
        await command.then(
          () => {
            succeeded += 1;
            succeededAt = sent;
          },
          () => failures.push(command),
        );
        await pause(2);
      }
    }),
  );
  await until('commands succeed', () => succeeded > WRITERS);

  // Carried out, copied to the replica, and not answered: what must not be sent again.
  const keys = Array.from({ length: 100 }, () => `test:${randomUUID()}`);
  patient.redis.client('REPLY', 'OFF').catch(() => {});
  const unanswered = Promise.all(
    keys.map((key) =>
      expectRefusal(
        guarded(() => patient.redis.incr(key)),
        'unavailable',
      ),
    ),
  );
  await until('the commands have run', async () => (await successor.exists(...keys)) === keys.length);

  await own.primary.kill();
  await unanswered;
  await until('commands fail', () => failures.length > 0);
  const failed = performance.now();
  await until('commands succeed again', () => succeededAt > failed);
  over = true;
  await writing;
  await until('the patient one is back', () =>
    patient.ping().then(
      () => true,
      () => false,
    ),
  );

  await Promise.all(failures.map((command) => expectRefusal(command, 'unavailable')));
  expect(new Set(await successor.mget(keys))).toEqual(new Set(['1']));
  await until('the subscription has moved as well', async () => {
    await hasty.redis.publish(channel, 'moved').catch(() => {});
    return heard.includes('moved');
  });
});

test('while no sentinel is reachable, every command is refused at once as unavailable, and the client can be closed', async () => {
  await expectUnreachable(await nowhere);
});
