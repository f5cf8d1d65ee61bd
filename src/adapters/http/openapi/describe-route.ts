import type { FastifySchema, RouteOptions } from 'fastify';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import { type ZodObject, z } from 'zod';
import type { Guard } from '#adapters/http/guards/guard.ts';
import type { Code } from '#domain/errors.ts';
import { type Answers, describeAnswers, describeRefusals } from './describe-answers.ts';
import { zodToJsonConfig } from './zod-to-json.ts';

type Described = { readonly schema: FastifySchema; readonly url: string };

/** The body parser refuses so. It runs for these methods. */
const BODY_METHODS = ['POST', 'PATCH', 'DELETE'];
const BODY_REFUSALS = ['body-too-large', 'media-type-unsupported'] as const satisfies readonly Code[];
/** Any call behind guards may be refused so. */
const ANY_REFUSALS = ['validation-failed', 'busy', 'unavailable', 'internal'] as const satisfies readonly Code[];

const describeRequest = createJsonSchemaTransform({ skipList: [], zodToJsonConfig });

/** Describes a route by its schema and its guards. A route that is not `guarded` is described by its schema alone. */
export function describeRoute({ schema, route, ...rest }: Described & { readonly route: RouteOptions }) {
  const { response, refusals = [], ...asked } = schema;
  const guards = route.config?.guards;
  const request = describeRequest({
    ...rest,
    schema: guards === undefined ? asked : withGuards(asked, guards),
  } as never);
  if (response === undefined) return request;
  const answers = {
    ...describeAnswers(response as Answers, guards ?? []),
    ...(guards && describeRefusals(codesOf(route, guards, refusals), guards)),
  };
  return { ...request, schema: { ...request.schema, response: answers } };
}

/** The security and the headers of the guards, beside what the route itself asks for. */
function withGuards(asked: Omit<FastifySchema, 'response'>, guards: readonly Guard[]) {
  const security = guards.flatMap((guard) => guard.security ?? []);
  const headers = [asked.headers as ZodObject | undefined, ...guards.map(({ requestHeaders }) => requestHeaders)];
  const shapes = headers.filter((schema) => schema !== undefined).map(({ shape }) => shape);
  return { ...asked, security, ...(shapes.length > 0 && { headers: z.object(Object.assign({}, ...shapes)) }) };
}

function codesOf({ method }: RouteOptions, guards: readonly Guard[], own: readonly Code[]): readonly Code[] {
  const hasBody = [method].flat().some((name) => BODY_METHODS.includes(name));
  return [...own, ...guards.flatMap(({ refusals }) => refusals), ...(hasBody ? BODY_REFUSALS : []), ...ANY_REFUSALS];
}
