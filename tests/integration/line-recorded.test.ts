import { v7 as newId } from 'uuid';
import { afterAll, expect, inject, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { redisWaitingRoom } from '#adapters/redis/waiting-room.ts';
import { userId } from '#domain/ids.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { recordLines } from '#use-cases/record-lines.ts';

const PEOPLE = 120;
const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 5_000 }, raise);
afterAll(close);

test('one run puts everything on record, also what happened to one place at a time', async () => {
  const { ports, stage } = memoryWorld();
  const { concertId } = stage();
  const lines = looseLines();
  const waitingRoom = redisWaitingRoom(redis, lines, { rebuildSeconds: 60 });
  for (let person = 0; person < PEOPLE; person++) {
    const { claim } = await waitingRoom.join(concertId, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' });
    await waitingRoom.leave(claim);
  }
  await recordLines({ concerts: ports.concerts, waitingRoom, lines });
  expect([...lines.of(concertId).events.values()].map(({ kind, sequence }) => [kind, sequence])).toEqual(
    Array.from({ length: PEOPLE }, (_, index) => ['left', index + 1]),
  );
  expect(await waitingRoom.takeEvents(concertId, 1)).toEqual([]);
});

function raise(error: Error): never {
  throw error;
}
