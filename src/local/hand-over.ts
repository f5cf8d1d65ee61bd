import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Gives a file made by root to the owner of its folder, so that a later start as that user can use it. */
export async function handOver(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid);
}
