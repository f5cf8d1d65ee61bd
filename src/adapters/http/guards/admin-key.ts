import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from '#domain/errors.ts';
import type { Guard } from './guard.ts';

/** A key that an operator holds. The service knows its SHA-256 only; the log names its id. */
export type AdminKey = { readonly id: string; readonly sha256: string };

const BEARER = /^Bearer +(\S+)$/i;

/** Requires one of the admin keys. There may be several, so that they can be rotated one by one. */
export function adminKeyGuard(keys: readonly AdminKey[]) {
  const known = keys.map(({ id, sha256 }) => ({ id, digest: Buffer.from(sha256, 'hex') }));

  return {
    onRequest(request) {
      const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
      if (given === undefined) throw new Refusal('unauthenticated');
      const digest = createHash('sha256').update(given).digest();
      // Compares with every key, each in constant time, so that the duration tells nothing.
      const [matching] = known.filter((key) => timingSafeEqual(key.digest, digest));
      if (matching === undefined) throw new Refusal('unauthenticated');
      request.adminKeyId = matching.id;
    },
    security: [{ adminKey: [] }],
    refusals: ['unauthenticated'],
  } as const satisfies Guard;
}
