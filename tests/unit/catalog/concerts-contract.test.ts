import { concertsContract } from '#tests/contracts/concerts-contract.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage } = memoryWorld();

concertsContract({
  ...ports,
  stage: async (staged) => stage(staged),
  passes: async (milliseconds) => clock.advance(milliseconds),
});
