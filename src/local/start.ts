/**
 * `npm start`: the service on a bare machine, with a local Postgres or Redis for each URL that is not set. Production
 * runs `main.ts` alone.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { readConfig } from '#config/config.ts';
import { StartError } from '#config/start-error.ts';
import { foreseenEnvironment, localEnvironment } from './local-environment.ts';

// Caches compiled code in the temporary folder: later imports are compiled once per machine.
enableCompileCache();
if (existsSync('.env')) process.loadEnvFile();

/** Reports a wrong setting before a server is installed or started. */
function checkSettings(): void {
  try {
    readConfig(foreseenEnvironment(process.env));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

checkSettings();
const local = localEnvironment(process.env, (line) => console.log(line));
// The service is imported while the servers start. `run` awaits them and reports failures.
local.catch(() => {});
const { run } = await import('#main');
await run(local);
