import { holdKeysContract } from '#tests/contracts/hold-keys-contract.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { CLAIM_TTL_MS, memoryHoldKeys } from '#tests/fakes/memory-hold-keys.ts';

holdKeysContract(() => {
  const clock = memoryClock();
  return {
    holdKeys: memoryHoldKeys(clock),
    claimTtlMs: CLAIM_TTL_MS,
    passes: async (_, milliseconds) => clock.advance(milliseconds),
  };
});
