import { z } from 'zod';
import type { Guard } from '#adapters/http/guards/guard.ts';
import { PROBLEM_TYPE, problems } from '#adapters/http/problems.ts';
import type { Code } from '#domain/errors.ts';
import type { AnswerHeader } from './answers.ts';
import { problemSchemas } from './problem-schemas.ts';

/** What `answers.ts` makes, by status. */
export type Answers = Readonly<Record<string, z.ZodUndefined | WithBody>>;
type WithBody = {
  readonly description: string;
  readonly headers: readonly AnswerHeader[];
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
};

const EVERY_ANSWER = ['X-Request-Id'] as const satisfies readonly AnswerHeader[];
const SUCCESS_MAX = 299;

/** A route's own answers as `@fastify/swagger` takes them: schemas and headers as references, with whole examples. */
export function describeAnswers(answers: Answers, guards: readonly Guard[]) {
  const ofAny = guards.flatMap(({ headersOfAnyAnswer = [] }) => headersOfAnyAnswer);
  const ofSuccess = guards.flatMap(({ headersOfSuccess = [] }) => headersOfSuccess);

  function describe(status: string, answer: Answers[string]) {
    const { description, headers } =
      answer instanceof z.ZodType ? (answer.meta() as Omit<WithBody, 'content'>) : answer;
    const all = headerRefs([...ofAny, ...headers, ...(Number(status) <= SUCCESS_MAX ? ofSuccess : [])]);
    if (answer instanceof z.ZodType) return { type: 'null', description, headers: all };
    const media = Object.entries(answer.content).map(([type, { schema }]) => [type, one(schema)]);
    return { description, headers: all, content: Object.fromEntries(media) };
  }

  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describe(status, answer)]));
}

/** The refusals with these codes, one answer per status. The first code of a status is its example. */
export function describeRefusals(codes: readonly Code[], guards: readonly Guard[]) {
  const ofAny = guards.flatMap(({ headersOfAnyAnswer = [] }) => headersOfAnyAnswer);
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\``).join(', ');
      const headers = headerRefs([...ofAny, ...headersOfRefusal(status)]);
      return [status, { description, headers, content: { [PROBLEM_TYPE]: oneOf(codes) } }];
    }),
  );
}

function headersOfRefusal(status: number): readonly AnswerHeader[] {
  if (status === 401) return ['WWW-Authenticate'];
  if (status === 429) return ['Retry-After', 'RateLimit', 'RateLimit-Policy'];
  return status === 503 ? ['Retry-After'] : [];
}

function headerRefs(names: readonly AnswerHeader[]) {
  const all = [...EVERY_ANSWER, ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
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

/** The `code` field discriminates. */
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
