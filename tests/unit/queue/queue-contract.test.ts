import { queueContract } from '#tests/contracts/queue-contract.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memoryQueue } from '#tests/fakes/memory-queue.ts';

queueContract(() => {
  const clock = memoryClock();
  return {
    queue: memoryQueue(clock, looseQueueRecords()),
    passes: async (_, milliseconds) => clock.advance(milliseconds),
  };
});
