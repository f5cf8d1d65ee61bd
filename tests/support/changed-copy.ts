import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaced } from './replaced.ts';
import { temporaryDir } from './temporary-dir.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  'src',
  'tests',
  'prisma',
  'docs/reference/openapi.json',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
/** After all others. */
const LAST_MIGRATION = '29991231235959_changed';

/** Text of a source file that is replaced, or a statement of a further migration. */
export type CopyChange =
  | { readonly file: string; readonly found: RegExp; readonly instead: string }
  | { readonly sql: string };

export type Copy = { readonly dir: string; remove(): Promise<void> };

/** The sources with these changes, in a folder of their own. */
export async function changedCopy(changes: readonly CopyChange[]): Promise<Copy> {
  const { path: dir, remove } = await temporaryDir();
  for (const name of COPIED) await cp(join(ROOT, name), join(dir, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  const statements: string[] = [];
  for (const change of changes) {
    if ('sql' in change) statements.push(`${change.sql};`);
    else await changeFile(join(dir, change.file), change);
  }
  if (statements.length > 0) {
    await mkdir(join(dir, 'prisma/migrations', LAST_MIGRATION));
    await writeFile(join(dir, 'prisma/migrations', LAST_MIGRATION, 'migration.sql'), statements.join('\n'));
  }
  return { dir, remove };
}

async function changeFile(path: string, { found, instead }: { found: RegExp; instead: string }): Promise<void> {
  await writeFile(path, replaced(await readFile(path, 'utf8'), [[found, instead]]));
}
