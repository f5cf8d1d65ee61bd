import { bestSeatsContract } from '#tests/contracts/best-seats-contract.ts';
import { boxOfficeContract } from '#tests/contracts/box-office-contract.ts';
import { heldSeatsContract } from '#tests/contracts/held-seats-contract.ts';
import type { Staged } from '#tests/contracts/stage-concert.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const { ports, clock, stage } = memoryWorld();

const harness = {
  ...ports,
  stage: async (staged?: Staged) => stage(staged),
  passes: async (milliseconds: number) => clock.advance(milliseconds),
};
boxOfficeContract(harness);
bestSeatsContract(harness);
heldSeatsContract(harness);
