import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { webhooksContract } from '#tests/contracts/webhooks-contract.ts';

webhooksContract(await postgresHarness());
