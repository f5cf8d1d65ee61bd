import fc from 'fast-check';
import type { Found, Parameter } from '#tests/support/contract.ts';
import { anything, nearly, type Schema, sharp, valid } from './values.ts';

/** How well a request keeps to the document. */
type Manners = 'valid' | 'nearly' | 'wild';
type Credential = 'own' | 'of another' | 'broken' | 'none';

/** A request as it was made up, before anybody is known who sends it. */
export type Plan = {
  readonly found: Found;
  readonly method: string;
  /** By the names in the path template. */
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly credentials: { readonly access: Credential; readonly place: Credential; readonly broken: string };
  readonly body: Body;
};
export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown; readonly type: string }
  | { readonly kind: 'text'; readonly text: string; readonly type: string | undefined };

const credential = (manners: Manners): fc.Arbitrary<Credential> =>
  fc.oneof(
    { weight: manners === 'valid' ? 30 : 12, arbitrary: fc.constant<Credential>('own') },
    fc.constantFrom<Credential>('of another', 'broken', 'none'),
  );

/** Latin 1 without control characters: what a header may carry. */
const headerText = fc.oneof(
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code < 0x7f || code > 0x9f)
      .map((code) => String.fromCharCode(code)),
  }),
  sharp.map((text) => text.replace(/[^ -~]/g, '?').slice(0, 300)),
);
const anyParameter = anything.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));

function parameter({ name, schema }: Parameter, manners: Manners): fc.Arbitrary<unknown> {
  const keeps = name === 'Idempotency-Key' ? keys : valid(schema as Schema, name);
  if (manners === 'valid') return keeps;
  return fc.oneof({ weight: manners === 'nearly' ? 6 : 1, arbitrary: keeps }, anyParameter);
}

/** New ones as a rule, and a few that are used again. */
const keys = fc.oneof(
  { weight: 8, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: fc.constantFrom('again', '"again"', 'once more') },
  fc.constantFrom('', '""', ' ', 'x'.repeat(255), 'x'.repeat(256), 'a"b', '\xe9'),
);

function parametersIn(
  place: Parameter['in'],
  { operation: { parameters = [] } }: Found,
  manners: Manners,
): fc.Arbitrary<Record<string, unknown>> {
  const here = parameters.filter((one) => one.in === place);
  const made = Object.fromEntries(here.map((one) => [one.name, parameter(one, manners)]));
  const asked = here.filter(({ required }) => place === 'path' || (required && manners !== 'wild'));
  return fc.record(made, { requiredKeys: asked.map(({ name }) => name) });
}

const JSON_TYPE = 'application/json';
const types = fc.constantFrom(
  ...[
    JSON_TYPE,
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'text/plain',
    'application/x-www-form-urlencoded',
  ],
  ...[
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    '',
    ';',
    'application/problem+json',
    undefined,
  ],
);
const malformed = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('{', '[', '"', '{"a":1,}', '{"date":', 'undefined', '\ufeff{}', '{"__proto__":{"x":1}}', '[1', 'nul'),
  fc.constantFrom(`${'['.repeat(5_000)}`, `{"a":"${'x'.repeat(20_000)}"}`, '{"seatNumbers":[1],"seatNumbers":[2]}'),
);

function bodyOf({ operation: { requestBody } }: Found, manners: Manners): fc.Arbitrary<Body> {
  const anyText = fc.record({ kind: fc.constant('text' as const), text: malformed, type: types });
  const media = requestBody?.content[JSON_TYPE];
  if (media === undefined) {
    const nothing = fc.constant<Body>({ kind: 'none' });
    return manners === 'wild' ? fc.oneof<fc.Arbitrary<Body>[]>(nothing, json(anything), anyText) : nothing;
  }
  const schema = media.schema as Schema;
  const examples = Object.values(media.examples ?? {}).map((example) => (example as { value: unknown }).value);
  const given = [media.example, ...examples].filter((example) => example !== undefined);
  // What the schema cannot say, that one field goes with another, the examples keep to.
  const keeps = fc.oneof(
    valid(schema),
    ...given.map((example) => ({ weight: 4, arbitrary: asExample(schema, example) })),
  );
  if (manners === 'valid') return json(keeps);
  if (manners === 'nearly') return json(nearly(keeps));
  return fc.oneof<fc.Arbitrary<Body>[]>(json(anything), anyText, anyText, fc.constant({ kind: 'none' }));
}

const json = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Body> =>
  values.map((value) => ({ kind: 'json', value, type: JSON_TYPE }));

/** An example of the document, but with ids, dates and seats of here. */
function asExample({ properties = {} }: Schema, example: unknown): fc.Arbitrary<unknown> {
  const made = Object.entries(example as object).map(([name, value]) => {
    const schema = properties[name];
    const ofHere = schema !== undefined && /(Id|^date|^seatNumbers)$/.test(name);
    return [name, ofHere ? valid(schema, name) : fc.constant(value)] as const;
  });
  return fc.record(Object.fromEntries(made));
}

function plansFor(found: Found, manners: Manners): fc.Arbitrary<Plan> {
  const documented = found.method.toUpperCase();
  return fc.record({
    found: fc.constant(found),
    method:
      manners === 'wild'
        ? fc.constantFrom(...[documented, documented, documented, 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
        : fc.constantFrom(documented, ...(documented === 'GET' && manners === 'nearly' ? ['HEAD'] : [])),
    path: parametersIn('path', found, manners),
    query: parametersIn('query', found, manners),
    headers: fc
      .tuple(
        parametersIn('header', found, manners),
        manners === 'wild'
          ? fc.record({ 'X-Request-Id': headerText, Accept: headerText }, { requiredKeys: [] })
          : fc.constant({}),
      )
      .map(([named, more]) => ({ ...named, ...more })),
    credentials: fc.record({
      ...{ access: credential(manners), place: credential(manners) },
      broken: fc.oneof(headerText, fc.constantFrom('a.b.c', 'test:', 'Bearer', 'eyJhbGciOiJub25lIn0.e30.')),
    }),
    body: bodyOf(found, manners),
  });
}

/**
 * Requests for any of the operations; more of them valid than not, or they would all end at the same few checks. Those with
 * a body have more ways to be wrong.
 */
export function plans(operations: readonly Found[]): fc.Arbitrary<Plan> {
  return fc.oneof(
    ...operations.flatMap((found) => {
      const often = found.operation.requestBody === undefined ? 1 : 2;
      return [
        { weight: 6 * often, arbitrary: plansFor(found, 'valid') },
        { weight: 4 * often, arbitrary: plansFor(found, 'nearly') },
        { weight: 2 * often, arbitrary: plansFor(found, 'wild') },
      ];
    }),
  );
}
