import { bestSeatsContract } from '#tests/contracts/best-seats-contract.ts';
import { boxOfficeContract } from '#tests/contracts/box-office-contract.ts';
import { frozenPriceContract } from '#tests/contracts/frozen-price-contract.ts';
import { heldSeatsContract } from '#tests/contracts/held-seats-contract.ts';
import type { Staged } from '#tests/contracts/stage-concert.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import type { StoredConcert } from '#tests/fakes/memory-store.ts';

const { ports, clock, stage } = memoryWorld();

const harness = {
  ...ports,
  stage: async (staged?: Staged) => stage(staged),
  passes: async (milliseconds: number) => clock.advance(milliseconds),
  reprice: async ({ dates }: StoredConcert, price: number) => {
    for (const seat of dates.flatMap(({ seats }) => seats)) seat.price = price;
  },
};
boxOfficeContract(harness);
bestSeatsContract(harness);
frozenPriceContract(harness);
heldSeatsContract(harness);
