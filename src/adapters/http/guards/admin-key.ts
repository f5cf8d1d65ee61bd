import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';

/** A key that operators hold, known to us by its SHA-256 only. The id tells in the log whose key it was. */
export type AdminKey = { readonly id: string; readonly sha256: string };

const BEARER = /^Bearer +(\S+)$/i;

/** A hook: lets only requests with an admin key pass. Any of several, so that keys can be changed one by one. */
export function requireAdminKey(keys: readonly AdminKey[]) {
  const known = keys.map(({ id, sha256 }) => ({ id, digest: Buffer.from(sha256, 'hex') }));

  return async (request: FastifyRequest): Promise<void> => {
    const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) throw new Refusal('unauthenticated');
    const digest = createHash('sha256').update(given).digest();
    // All are compared, each in constant time, so that the time taken says nothing.
    const matching = known.filter((key) => timingSafeEqual(key.digest, digest));
    if (matching[0] === undefined) throw new Refusal('unauthenticated');
    request.adminKeyId = matching[0].id;
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose admin key it was, once `requireAdminKey` has let the request pass. */
    adminKeyId: string | undefined;
  }
}
