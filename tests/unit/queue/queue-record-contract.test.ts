import { linesContract } from '#tests/contracts/lines-contract.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage, recorded } = memoryWorld();

linesContract({
  ...ports,
  stage: async (staged) => stage(staged),
  passes: async (milliseconds) => clock.advance(milliseconds),
  recorded: async (concertId) => recorded(concertId),
  now: () => clock.now(),
});
