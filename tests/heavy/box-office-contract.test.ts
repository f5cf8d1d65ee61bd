import { bestSeatsContract } from '#tests/contracts/best-seats-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';

// With as many random halls as the fake is tried with.

bestSeatsContract(await postgresHarness());
