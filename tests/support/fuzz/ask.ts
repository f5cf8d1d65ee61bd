import { type Agent, type IncomingMessage, request } from 'node:http';
import { faultsOf } from '#tests/support/contract.ts';
import { checkedReply } from '#tests/support/contract-client.ts';
import { HANG_MS } from '#tests/support/until.ts';
import type { Asked, Somebody } from './somebody.ts';

/** Nobody waits for the end of a stream: for its first event, or for this long. */
const STREAM_LIMIT_MS = 300;
const NO_BODY = new Set([204, 304]);

export type Heard = { readonly status: number; readonly body: unknown; readonly faults: readonly string[] };

/** Words that no client may see. None of the requests has any of them. */
const INNARDS =
  /node_modules|\bat \S+ \(|\.ts:\d|\bSELECT\b|\bINSERT INTO\b|syntax error at|invalid input syntax|invalid byte sequence|relation "|constraint "|duplicate key|prisma|ioredis|redlock|NOSCRIPT|WRONGTYPE|ECONNREFUSED|plpgsql/i;

/** Sends it, and says what is wrong with the answer. */
export async function ask(url: string, agent: Agent, sent: Asked, everybody: readonly Somebody[]): Promise<Heard> {
  const { method, path } = sent;
  let response: Response;
  try {
    response = await answerTo(url, agent, sent);
  } catch (error) {
    return { status: 0, body: undefined, faults: [`no answer: ${error}`] };
  }
  const { status } = response;
  const text = await response.clone().text();
  const faults: string[] = [];
  if (status >= 500 && status !== 503) faults.push(`${status} is nobody's fault but ours: ${text.slice(0, 300)}`);
  if (INNARDS.test(text)) faults.push(`tells how it is made: ${text.slice(0, 300)}`);
  faults.push(...tellsOfOthers(text, sent, everybody));
  if (status < 300 && !keepsToTheDocument(sent)) faults.push('accepts a body that the document does not allow');
  try {
    const { body } = await checkedReply(method, path, response);
    return { status, body, faults };
  } catch (error) {
    const { message, actual } = error as Error & { actual?: unknown };
    const [said = ''] = message.split('\n\n', 1);
    const found = `${JSON.stringify(actual) ?? ''} ${said}`;
    return { status, body: undefined, faults: [...faults, `is not as documented: ${found.slice(0, 600)}`] };
  }
}

function keepsToTheDocument({ found: { template, method, operation }, json, ...sent }: Asked): boolean {
  if (json === undefined || operation.requestBody === undefined || sent.method.toLowerCase() !== method) return true;
  return faultsOf(json, 'paths', template, method, 'requestBody', 'content', 'application/json', 'schema').length === 0;
}

/** What belongs to people who have no part in the request, and is not in it. Operators may be told of everybody. */
function tellsOfOthers(text: string, { speakers, path, headers, body = '' }: Asked, everybody: readonly Somebody[]) {
  if (speakers.some(({ credentials }) => credentials.adminKey !== undefined)) return [];
  const said = `${decoded(path)} ${Object.values(headers).join(' ')} ${body}`;
  return everybody
    .filter((one) => !speakers.includes(one))
    .flatMap((one) =>
      [...one.secrets]
        .filter((secret) => text.includes(secret) && !said.includes(secret))
        .map((secret) => `tells ${one.name}'s ${secret}`),
    );
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function answerTo(url: string, agent: Agent, { method, path, headers, body }: Asked): Promise<Response> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const going = request({ hostname, port, agent, method, path, headers: { ...headers, ...length } }, (incoming) => {
    textOf(incoming).then((text) => resolve(asResponse(method, incoming, text)), reject);
  });
  going.setTimeout(HANG_MS, () => going.destroy(new Error(`nothing for ${HANG_MS} ms`)));
  going.on('error', reject);
  going.end(body);
  return promise;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const isStream = incoming.headers['content-type']?.startsWith('text/event-stream') ?? false;
  let text = '';
  const enough = isStream ? setTimeout(() => incoming.destroy(), STREAM_LIMIT_MS) : undefined;
  try {
    for await (const part of incoming.setEncoding('utf8')) {
      text += part;
      if (isStream && text.includes('\n\n')) break;
    }
  } catch (error) {
    if (!isStream) throw error;
  } finally {
    clearTimeout(enough);
  }
  return text;
}

function asResponse(method: string, { statusCode = 0, headers }: IncomingMessage, text: string): Response {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as [string, string]),
  );
  return new Response(method === 'HEAD' || NO_BODY.has(statusCode) ? null : text, {
    status: statusCode,
    headers: pairs,
  });
}
