import { z } from 'zod';
import type { Code } from '#domain/errors.ts';
import { problemSchemas } from './problem-schemas.ts';

/** What `answers.ts` makes, by status. */
export type Answers = Readonly<Record<string, z.ZodUndefined | WithBody>>;
type WithBody = {
  readonly description: string;
  readonly headers: readonly string[];
  readonly codes?: readonly Code[];
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
};

/**
 * A route's answers as `@fastify/swagger` wants them: shapes and headers as references, whole examples beside them.
 *
 * @param everywhere headers that any of its answers may carry
 */
export function describeAnswers(answers: Answers, everywhere: readonly string[]) {
  const headerRefs = (names: readonly string[]) =>
    Object.fromEntries([...everywhere, ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]));

  function describe(answer: Answers[string]) {
    if (answer instanceof z.ZodType) {
      const { description, headers } = answer.meta() as Pick<WithBody, 'description' | 'headers'>;
      return { type: 'null', description, headers: headerRefs(headers) };
    }
    const { description, codes, content } = answer;
    const media = Object.entries(content).map(([type, { schema }]) => [type, codes ? oneOf(codes) : one(schema)]);
    return { description, headers: headerRefs(answer.headers), content: Object.fromEntries(media) };
  }

  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describe(answer)]));
}

function one(schema: z.ZodType | undefined) {
  const { id, examples } = (schema?.meta() ?? {}) as {
    id?: string;
    examples?: readonly { status?: unknown; state?: unknown }[];
  };
  if (id === undefined || examples === undefined) throw new RangeError('an answer needs a name and examples');
  const [example] = examples;
  const byStatus = examples.map((value) => [String(value.status ?? value.state), { value }]);
  const shown = examples.length === 1 ? { example } : { examples: Object.fromEntries(byStatus) };
  return { schema: { $ref: `#/components/schemas/${id}` }, ...shown };
}

/** The code says which one it is. */
function oneOf(codes: readonly Code[]) {
  const known = codes.map((code) => ({ code, ...one(problemSchemas.get(code)) }));
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  const [first] = known;
  if (first !== undefined && known.length === 1) return { schema: first.schema, examples };
  const mapping = Object.fromEntries(known.map(({ code, schema }) => [code, schema.$ref]));
  return {
    schema: { oneOf: known.map(({ schema }) => schema), discriminator: { propertyName: 'code', mapping } },
    examples,
  };
}

/** A whole problem document for each code, for the document's components. */
export const problemExamples = Object.fromEntries(
  [...problemSchemas].map(([code, schema]) => [code, { value: one(schema).example }]),
);
