import { queueRecordsContract } from '#tests/contracts/queue-records-contract.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage, recorded } = memoryWorld();

queueRecordsContract({
  ...ports,
  stage: async (staged) => stage(staged),
  passes: async (milliseconds) => clock.advance(milliseconds),
  recorded: async (concertId) => recorded(concertId),
  now: () => clock.now(),
});
