import { seatHoldsContract } from '#tests/contracts/seat-holds-contract.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memorySeatHolds } from '#tests/fakes/memory-seat-holds.ts';

seatHoldsContract(() => {
  const clock = memoryClock();
  return { seatHolds: memorySeatHolds(clock), passes: async (_, milliseconds) => clock.advance(milliseconds) };
});
