import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal } from '#domain/errors.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import { example, named } from './openapi/schema-parts.ts';

const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 20;
const CURSOR_LENGTH_MAX = 100;

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT).describe('Items per page'),
  cursor: example(
    z.string().max(CURSOR_LENGTH_MAX).optional().describe('nextCursor of the page before'),
    'MDE5MzljNjE',
  ),
});

/** The schema of a page, with the cursor of the next one. */
export function pageOf<T extends z.ZodType>(name: string, item: T, ...items: z.output<T>[]) {
  const nextCursor = example(z.string().optional().describe('Absent on the last page'), 'MDE5MzljNjE');
  return named(name, z.object({ items: z.array(item), nextCursor }), { items } as never);
}

/** A cursor is the id of the last item of a page, in base64url. */
const IDS = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  number: /^[1-9]\d{0,17}$/,
};

type Query = { readonly limit: number; readonly cursor?: string | undefined };

export function pageRequest({ limit, cursor }: Query, ids: keyof typeof IDS): PageRequest {
  if (cursor === undefined) return { limit };
  const after = Buffer.from(cursor, 'base64url').toString();
  if (IDS[ids].test(after)) return { limit, after };
  throw new Refusal('validation-failed', {
    errors: [{ path: 'querystring/cursor', message: 'is not a cursor of this list' }],
  });
}

/** The body of a page. Sets a `Link` to the next page if there is one. */
export function answerPage<T, V>(request: FastifyRequest, reply: FastifyReply, page: Page<T>, view: (item: T) => V) {
  const items = page.items.map(view);
  if (page.next === undefined) return { items };
  const nextCursor = Buffer.from(page.next).toString('base64url');
  const url = new URL(request.url, 'http://localhost');
  url.searchParams.set('cursor', nextCursor);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
  return { items, nextCursor };
}
