import fc from 'fast-check';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import type { Page } from '#domain/page.ts';

const UUID = '01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f';
const cursorOf = (text: string) => Buffer.from(text).toString('base64url');

async function answer(page: Page<number>, url = '/things?limit=2') {
  const api = Fastify();
  api.get('/things', async (request, reply) => answerPage(request, reply, page, (item) => `item ${item}`));
  const { headers, body } = await api.inject({ url });
  return { link: headers.link, ...(JSON.parse(body) as { items: string[]; nextCursor?: string }) };
}

describe('a page', () => {
  it('without a next one ends the list', async () => {
    expect(await answer({ items: [1, 2] })).toEqual({ link: undefined, items: ['item 1', 'item 2'] });
    expect(await answer({ items: [] })).toEqual({ link: undefined, items: [] });
  });

  it('with a next one has its cursor, in the body and in Link', async () => {
    const { link, nextCursor = '' } = await answer({ items: [1], next: UUID });
    expect(pageRequest({ limit: 2, cursor: nextCursor }, 'uuid')).toEqual({ limit: 2, after: UUID });
    expect(link).toBe(`</things?limit=2&cursor=${nextCursor}>; rel="next"`);
  });

  it('replaces the cursor in Link by the next one, and keeps the rest of the query', async () => {
    const { link, nextCursor } = await answer({ items: [1], next: '7' }, '/things?cursor=MTI&limit=2');
    expect(link).toBe(`</things?cursor=${nextCursor}&limit=2>; rel="next"`);
  });
});

describe('a cursor', () => {
  it('decodes to its id', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }), (uuid, number) => {
        expect(pageRequest({ limit: 1, cursor: cursorOf(uuid) }, 'uuid').after).toBe(uuid);
        expect(pageRequest({ limit: 1, cursor: cursorOf(`${number}`) }, 'number').after).toBe(`${number}`);
      }),
    );
  });

  it('is not needed for the first page', () => {
    expect(pageRequest({ limit: 20 }, 'uuid')).toEqual({ limit: 20 });
  });

  it.each([
    ['uuid', ''],
    ['uuid', 'not a cursor'],
    ['uuid', cursorOf('12')],
    ['uuid', cursorOf(`${UUID}' OR 1=1`)],
    ['uuid', cursorOf(UUID.toUpperCase())],
    ['number', cursorOf(UUID)],
    ['number', cursorOf('0')],
    ['number', cursorOf('-1')],
    ['number', cursorOf('1'.repeat(19))],
    ['number', cursorOf('1e3')],
  ] as const)('of a list by %s is not %j', (ids, cursor) => {
    expect(() => pageRequest({ limit: 1, cursor }, ids)).toThrow(
      expect.objectContaining({
        code: 'validation-failed',
        facts: { errors: [expect.objectContaining({ path: 'querystring/cursor' })] },
      }),
    );
  });
});
