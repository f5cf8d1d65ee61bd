/**
 * `npm run mock [-- --port 4020]`: answers each call of the contract with an example from `docs/reference/openapi.json`, without
 * state. `Prefer: code=409, example=seat-taken` chooses the answer.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { type Context, type Document, OpenAPIBackend } from 'openapi-backend';

type Media = { readonly example?: unknown; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> };
type Documented = { readonly content?: Readonly<Record<string, Media>> };
type Answer = { readonly status: number; readonly type?: string; readonly body?: string };

const PORT = '4010';
const HOST = '127.0.0.1';
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-expose-headers': '*',
};

const { values } = parseArgs({
  options: { port: { type: 'string', short: 'p', default: PORT }, host: { type: 'string', default: HOST } },
});

const api = new OpenAPIBackend({
  definition: JSON.parse(
    await readFile(new URL('../../docs/reference/openapi.json', import.meta.url), 'utf8'),
  ) as Document,
  quick: true,
  ajvOpts: { strict: false },
  handlers: {
    notFound: () => ({ status: 404 }),
    methodNotAllowed: () => ({ status: 405 }),
    validationFail: (context: Context) => answerOf(context, { code: '400' }),
    unauthorizedHandler: (context: Context) => answerOf(context, { code: '401' }),
    notImplemented: (context: Context) => answerOf(context, preferred(context.request.headers.prefer)),
  },
});
const hasBearer = ({ request }: Context) => /^bearer ./i.test(String(request.headers.authorization ?? ''));
api.registerSecurityHandler('accessToken', hasBearer);
api.registerSecurityHandler('adminKey', hasBearer);
api.registerSecurityHandler('queueToken', ({ request }) => request.headers['queue-token'] !== undefined);
api.registerSecurityHandler('queueTokenInQuery', ({ request }) => request.query.token !== undefined);
await api.init();

/** `code=409, example=seat-taken`, in the syntax of RFC 7240. */
function preferred(header: string | string[] | undefined): { code?: string; example?: string } {
  const pairs = String(header ?? '').split(/[,;]/);
  return Object.fromEntries(pairs.map((pair) => pair.trim().split('=', 2)).filter(([, value]) => value !== undefined));
}

/** The example with this status and name, or else the operation's first example. */
function answerOf({ operation }: Context, { code, example }: { code?: string; example?: string }): Answer {
  const responses = Object.entries(operation.responses as Record<string, Documented>);
  const hasExample = ([, { content = {} }]: (typeof responses)[number]) =>
    Object.values(content).some(({ examples = {} }) => example !== undefined && example in examples);
  const [status, documented] = responses.find(([one]) => one === code) ??
    responses.find(hasExample) ??
    responses[0] ?? ['404', undefined];
  const [type, media] = Object.entries(documented?.content ?? {})[0] ?? [];
  if (type === undefined || media === undefined) return { status: Number(status) };
  const named = example === undefined ? undefined : media.examples?.[example];
  const value = named?.value ?? media.example ?? Object.values(media.examples ?? {})[0]?.value;
  return { status: Number(status), type, body: typeof value === 'string' ? value : JSON.stringify(value) };
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const { pathname, search } = new URL(request.url ?? '/', `http://${HOST}`);
  const method = request.method ?? 'GET';
  if (method === 'OPTIONS') return { status: 204 };
  const sent = await text(request);
  const headers = request.headers as Record<string, string | string[]>;
  return api.handleRequest({ method, path: pathname, query: search.slice(1), headers, body: bodyOf(sent) });
}

/** A body that is not JSON stays text, which matches no schema. */
function bodyOf(sent: string): unknown {
  try {
    return sent === '' ? undefined : JSON.parse(sent);
  } catch {
    return sent;
  }
}

const server = createServer(async (request, response) => {
  const { status, type, body } = await answer(request);
  response.writeHead(status, { ...CORS, ...(type === undefined ? {} : { 'content-type': type }) }).end(body);
});
server.listen(Number(values.port), values.host, () =>
  console.log(`The mock API is listening at http://${values.host}:${values.port}`),
);
