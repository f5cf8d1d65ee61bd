import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Returns all programs of this name, in the order of PATH. */
export async function onPath(name: string): Promise<string[]> {
  const found: string[] = [];
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(dir, name);
    const executable = access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (dir !== '' && (await executable)) found.push(path);
  }
  return found;
}
