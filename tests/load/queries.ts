import { mkdir, writeFile } from 'node:fs/promises';
import { makeTemplate } from '#tests/support/database.ts';
import { startTestServers } from '#tests/support/servers.ts';
import { runCommand } from './command.ts';
import { documentOf, planFilesOf } from './queries/document.ts';
import { explainerOf } from './queries/explainer.ts';
import { fillBooks, VAST } from './queries/fill-books.ts';
import { hotCommands } from './queries/hot-commands.ts';
import { measure } from './queries/measure.ts';
import { largeTablesOf } from './queries/tables.ts';

// `npm run queries`: some minutes to fill the books with ten million seats, then each hot query with and without its index,
// docs/reference/queries.md, and the plans in .data/queries. Takes about 10 GB of disk, and a server whose owner we are. Fails
// if a large table is read whole.

const DOCUMENT = new URL('../../docs/reference/queries.md', import.meta.url);
const PLANS_DIR = new URL('../../.data/queries/', import.meta.url);

const started = performance.now();
const say = (line: string) => console.log(`${Math.round((performance.now() - started) / 1_000)} s  ${line}`);

async function queries(ending: AsyncDisposableStack): Promise<void> {
  const servers = await startTestServers(say);
  ending.defer(servers.stop);
  const database = await makeTemplate(servers.databaseUrl);
  ending.defer(database.drop);
  await fillBooks(database.databaseUrl, VAST, say);
  const explainer = await explainerOf(database.databaseUrl);
  ending.defer(explainer.close);

  const tables = await largeTablesOf(explainer.postgres.pool);
  const names = tables.map(({ name }) => name);
  const { comparisons, faults } = await measure(explainer, await hotCommands(explainer.postgres), names, say);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const { rows } = await explainer.postgres.pool.query<{ server_version: string }>('SHOW server_version');
  await writeFile(DOCUMENT, documentOf(comparisons, tables, rows[0]?.server_version ?? ''));
  await mkdir(PLANS_DIR, { recursive: true });
  for (const [name, plans] of planFilesOf(comparisons)) await writeFile(new URL(name, PLANS_DIR), plans);
}

await runCommand(queries);
