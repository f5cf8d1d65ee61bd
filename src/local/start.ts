/**
 * `npm start`: the service on a bare machine, with a Postgres and a Redis of its own for each URL that is not set. Production
 * runs `main.ts` alone.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { readConfig } from '#config/config.ts';
import { StartError } from '#config/start-error.ts';
import { foreseenEnvironment, localEnvironment } from './local-environment.ts';

// Kept in the temporary folder: what is imported from here on is compiled once per machine, not once per start.
enableCompileCache();
if (existsSync('.env')) process.loadEnvFile();

/** A wrong setting is reported before a server is installed or started. */
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
// The service is imported while the servers start. `run` awaits them and reports what fails.
local.catch(() => {});
const { run } = await import('#main');
await run(local);
