import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { handOver } from './hand-over.ts';

/** The file with the admin key from `localSecrets`. The service gets its digest only. */
export const adminKeyFile = (dataDir: string) => join(dataDir, 'admin-key');

/** The required secrets and an admin key. Created on the first start and kept, so that tokens survive a restart. */
export async function localSecrets(
  dataDir: string,
): Promise<{ ACCESS_TOKEN_SECRET: string; QUEUE_TOKEN_KEYS: string; ADMIN_KEYS: string }> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  return {
    ACCESS_TOKEN_SECRET: await keptSecret(join(dataDir, 'access-token-secret')),
    QUEUE_TOKEN_KEYS: `local:${await keptSecret(join(dataDir, 'queue-token-secret'))}`,
    ADMIN_KEYS: `local:${digestOf(await keptSecret(adminKeyFile(dataDir)))}`,
  };
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Returns 32 random bytes in base64url from a file that only its owner can read. The first call creates it. */
export async function keptSecret(path: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, secret, { mode: 0o600 });
  try {
    await handOver(draft);
    // Atomic, and never overwrites: only a hard link gives both.
    await link(draft, path);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFile(path, 'utf8');
  } finally {
    await rm(draft, { force: true });
  }
}
