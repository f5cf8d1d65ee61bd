import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { Page, PageRequest } from '#domain/page.ts';

/** What an opaque cursor hides: the id of the last item seen. */
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

/** The page as it is answered, with a `Link` to the next one if there is one. */
export function answerPage<T, V>(request: FastifyRequest, reply: FastifyReply, page: Page<T>, view: (item: T) => V) {
  const items = page.items.map(view);
  if (page.next === undefined) return { items };
  const nextCursor = Buffer.from(page.next).toString('base64url');
  const url = new URL(request.url, 'http://localhost');
  url.searchParams.set('cursor', nextCursor);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
  return { items, nextCursor };
}
