import { concertsContract } from '#tests/contracts/concerts-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';

concertsContract(await postgresHarness());
