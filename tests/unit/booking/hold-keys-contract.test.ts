import { holdKeysContract } from '#tests/contracts/hold-keys-contract.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memoryHoldKeys } from '#tests/fakes/memory-hold-keys.ts';

holdKeysContract(() => {
  const clock = memoryClock();
  return { holdKeys: memoryHoldKeys(clock), passes: async (_, milliseconds) => clock.advance(milliseconds) };
});
