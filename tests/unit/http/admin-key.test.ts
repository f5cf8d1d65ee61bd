import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { adminKeyGuard } from '#adapters/http/guards/admin-key.ts';

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');
const guard = adminKeyGuard([
  { id: 'first', sha256: digestOf('key-one') },
  { id: 'second', sha256: digestOf('key-two').toUpperCase() },
]);

async function idOf(authorization: string | undefined, { onRequest } = guard): Promise<string | undefined> {
  const request = { headers: { authorization } } as FastifyRequest;
  onRequest(request);
  return request.adminKeyId;
}

describe('the admin key', () => {
  it('may be any of the known ones, and identifies itself', async () => {
    expect(await idOf('Bearer key-one')).toBe('first');
    expect(await idOf('bearer  key-two')).toBe('second');
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'key-one',
    'Basic key-one',
    'Bearer key-one x',
    'Bearer key',
    'Bearer KEY-ONE',
  ])('is not %j', async (authorization) => {
    await expect(idOf(authorization)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is not its own digest', async () => {
    await expect(idOf(`Bearer ${digestOf('key-one')}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is refused if none is known', async () => {
    await expect(idOf('Bearer key-one', adminKeyGuard([]))).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
