import { deliveriesContract } from '#tests/contracts/deliveries-contract.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage } = memoryWorld();

deliveriesContract({
  ...ports,
  stage: async (staged) => stage(staged),
  passes: async (milliseconds) => clock.advance(milliseconds),
});
