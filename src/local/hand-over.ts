import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What root makes in somebody's folder is theirs: a later start as that user must be able to use it. */
export async function handOver(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid);
}
