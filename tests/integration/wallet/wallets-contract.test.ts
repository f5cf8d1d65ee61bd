import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { walletsContract } from '#tests/contracts/wallets-contract.ts';

walletsContract(await postgresHarness());
