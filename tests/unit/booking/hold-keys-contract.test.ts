import { holdKeysContract } from '#tests/contracts/hold-keys-contract.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { ACQUIRED_TTL_MS, memoryHoldKeys } from '#tests/fakes/memory-hold-keys.ts';

holdKeysContract(() => {
  const clock = memoryClock();
  return {
    holdKeys: memoryHoldKeys(clock),
    acquiredTtlMs: ACQUIRED_TTL_MS,
    passes: async (_, milliseconds) => clock.advance(milliseconds),
  };
});
