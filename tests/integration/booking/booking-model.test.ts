import { bookingModelContract } from '#tests/contracts/booking-model-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';

// `tests/heavy/booking-model.test.ts` does more of it, and finds planted faults.

bookingModelContract(await postgresHarness(), 10, 1);
