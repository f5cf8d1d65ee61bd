import { eventsContract } from '#tests/contracts/events-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';

eventsContract(await postgresHarness());
