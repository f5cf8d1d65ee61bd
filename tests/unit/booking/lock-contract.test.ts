import { lockContract } from '#tests/contracts/lock-contract.ts';
import { memoryLock } from '#tests/fakes/memory-lock.ts';

lockContract(memoryLock);
