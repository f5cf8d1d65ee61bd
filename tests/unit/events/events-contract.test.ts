import { eventsContract } from '#tests/contracts/events-contract.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage } = memoryWorld();

eventsContract({
  ...ports,
  stage: async (staged) => stage(staged),
  passes: async (milliseconds) => clock.advance(milliseconds),
});
