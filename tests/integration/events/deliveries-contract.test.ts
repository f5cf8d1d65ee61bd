import { deliveriesContract } from '#tests/contracts/deliveries-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';

deliveriesContract(await postgresHarness());
