import { expect } from 'vitest';
import type { z } from 'zod';
import { requestOf, type Transport } from './client/client.ts';
import { contract, faultsOf, operationOf } from './contract.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed, or undefined if there was none; of a stream, which has to end by itself, all of its text. */
  readonly body: unknown;
  /** Of a problem document. */
  readonly code: string | undefined;
  /** The body as one of the API's shapes. */
  as<T>(schema: z.ZodType<T>): T;
};

export type Call = Transport<Reply>;

/** What is told by all of its text. */
const TEXT = ['text/event-stream', 'text/csv', 'application/x-ndjson'];

/** What was answered so far, as `operationId status`. */
export const answered = new Set<string>();

/** Talks to a server as a client would, and holds every answer against `docs/reference/openapi.json`. */
export function contractClient(url: string): Call {
  return async (method, path, options) =>
    checkedReply(method, path, await fetch(`${url}${path}`, requestOf(method, options)));
}

/** The reply, once it is found to be what the document promises for this method and path. */
export async function checkedReply(method: string, path: string, response: Response): Promise<Reply> {
  const { status, headers } = response;
  const text = await response.text();
  const type = headers.get('content-type')?.split(';', 1)[0];
  const parsed: unknown = TEXT.includes(type ?? '') ? text : text === '' ? undefined : JSON.parse(text);
  const call = `${method} ${path.slice(0, 200)} → ${status}`;

  const found = operationOf(method, path);
  if (found === undefined) {
    expect(type, call).toBe('application/problem+json');
    const place = ['components', 'schemas', schemaOfCode(codeOf(parsed))];
    expect(method === 'HEAD' ? [] : faultsOf(parsed, ...place), call).toEqual([]);
  } else {
    const place = ['paths', found.template, found.method, 'responses', String(status)];
    const documented = found.operation.responses[String(status)];
    if (documented === undefined) throw new Error(`${call} is not documented: ${text}`);
    answered.add(`${found.operation.operationId} ${status}`);
    expect(faultsOfHeaders(headers, Object.keys(documented.headers ?? {})), call).toEqual([]);
    if (method === 'HEAD' || documented.content === undefined) {
      expect(text, call).toBe('');
    } else {
      expect(Object.keys(documented.content), call).toContain(type);
      expect(faultsOf(parsed, ...place, 'content', type ?? '', 'schema'), `${call} ${text}`).toEqual([]);
    }
  }
  // A problem says the same status and id as the answer that carries it.
  if (type === 'application/problem+json' && method !== 'HEAD') {
    expect(parsed, call).toMatchObject({ status, instance: headers.get('x-request-id') });
  }
  return { status, headers, body: parsed, code: codeOf(parsed), as: (schema) => schema.parse(parsed) };
}

/** Headers of ours that are missing, wrong, or sent where the document does not have them. */
function faultsOfHeaders(headers: Headers, documented: readonly string[]): string[] {
  return Object.entries(contract.components.headers).flatMap(([name, { required = false }]) => {
    const value = headers.get(name);
    if (!documented.includes(name)) return value === null ? [] : [`${name} is not documented`];
    if (value === null) return required ? [`${name} is missing`] : [];
    const faults = (candidate: unknown) => faultsOf(candidate, 'components', 'headers', name, 'schema');
    return faults(value).length === 0 || faults(Number(value)).length === 0 ? [] : [`${name} is wrong: ${value}`];
  });
}

function codeOf(body: unknown): string | undefined {
  const code: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}

function schemaOfCode(code: string | undefined): string {
  const words = (code ?? 'unknown').split('-').map((word) => word[0]?.toUpperCase() + word.slice(1));
  return `${words.join('')}Problem`;
}
