import { readFile } from 'node:fs/promises';
import { Ajv2020 as Ajv, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

// `docs/reference/openapi.json`, as a client would read it.

export type Media = {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, unknown>>;
};
export type Parameter = {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema: object;
};
type Header = { readonly required?: boolean };
export type Documented = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media>>;
};
export type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Documented>>;
};
type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;
    readonly headers: Readonly<Record<string, Header>>;
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
  };
};

export const documentUrl = new URL('../../docs/reference/openapi.json', import.meta.url);
export const contract: Document = JSON.parse(await readFile(documentUrl, 'utf8'));

const ROOT = 'openapi.json';
const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
addFormats.default(ajv);
ajv.addSchema(contract, ROOT);

/** What is wrong with a value, by the schema at this place of the document; empty if nothing is. */
export function faultsOf(value: unknown, ...place: readonly string[]): string[] {
  const validate = validatorAt(place);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

function validatorAt(place: readonly string[]): ValidateFunction {
  const pointer = place.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.getSchema(`${ROOT}#/${pointer.join('/')}`);
  if (validate === undefined) throw new RangeError(`the document has no schema at ${place.join(' / ')}`);
  return validate;
}

export type Found = { readonly template: string; readonly method: string; readonly operation: Operation };

/** All operations, with the path template and method of each. */
export const operations: readonly Found[] = Object.entries(contract.paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ template, method, operation })),
);

const STREAMED = ['text/event-stream', 'text/csv', 'application/x-ndjson'];

/** The operation that a request is for. What is streamed cannot be asked for its head. */
export function operationOf(method: string, path: string): Found | undefined {
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  const [pathname = ''] = path.split('?', 1);
  const isStreamed = ({ operation }: Found) =>
    Object.keys(operation.responses['200']?.content ?? {}).some((type) => STREAMED.includes(type));
  return operations.find(
    (found) =>
      found.method === wanted &&
      !(method === 'HEAD' && isStreamed(found)) &&
      new RegExp(`^${found.template.replace(/\{\w+\}/g, '[^/]*')}$`).test(pathname),
  );
}
