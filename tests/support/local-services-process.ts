/**
 * A process that owns local services, for tests that kill it. Prints one line of JSON when they serve; on SIGINT it proves
 * that they still do, stops them and ends with code 0.
 */
import pg from 'pg';
import { LocalProblem } from '#local/local-problem.ts';
import { startLocalServices } from '#local/services.ts';

const dataDir = process.argv[2] ?? '';
const say = (line: string) => process.stderr.write(`${line}\n`);

try {
  const { databaseUrl, redisUrl, stop } = await startLocalServices({
    dataDir,
    durable: true,
    postgres: true,
    redis: true,
    say,
  });
  const alive = setInterval(() => {}, 60_000);
  process.once('SIGINT', async () => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
    await stop();
    clearInterval(alive);
  });
  process.stdout.write(`${JSON.stringify({ databaseUrl, redisUrl })}\n`);
} catch (error) {
  if (!(error instanceof LocalProblem)) throw error;
  say(error.message);
  process.exitCode = 1;
}
