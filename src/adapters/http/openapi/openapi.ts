import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Api } from '#adapters/http/kit.ts';
import { ANY_ANSWER, answerHeaders, COUNTED_ANSWER } from './answers.ts';
import { type Answers, describeAnswers, problemExamples } from './describe-answers.ts';

const DOCS = '/docs';

/** Swagger UI styles its elements inline; nothing else needs more than its own origin. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
};

/** The document is made of the schemas that validate, so it cannot say anything else than what is done. */
export async function registerOpenApi(api: Api): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Frontrow',
        version: '1.0.0',
        description:
          'Concert booking with a fair waiting room. Become a user, join the line of a concert, poll until you are ACTIVE, ' +
          'choose seats, reserve, charge your balance, pay.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The server that this document comes from' }],
      tags: [
        { name: 'queue', description: 'The line in front of a concert' },
        { name: 'concerts', description: 'Concerts, dates and seats' },
        { name: 'reservations', description: 'Seats held for a while' },
        { name: 'payments', description: 'Seats paid for' },
        { name: 'users', description: 'Users and their prepaid balances' },
        { name: 'admin', description: 'For operators: concerts, and how their lines are let in' },
        { name: 'webhooks', description: 'For operators: where events are sent to, and what became of them' },
        { name: 'health', description: 'For load balancers' },
      ],
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The accessToken of POST /v1/users: says who the user is',
          },
          adminKey: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key that an operator holds, one of ADMIN_KEYS',
          },
          queueTokenInQuery: {
            type: 'apiKey',
            in: 'query',
            name: 'token',
            description:
              'The same token, for an EventSource, which sends no headers of ours. It is in no log of Frontrow',
          },
          queueToken: {
            type: 'apiKey',
            in: 'header',
            name: 'Queue-Token',
            description: 'The token given on joining the line: says whose place it is, and needs nothing else',
          },
        },
      },
    },
    transform: ({ schema, ...route }) => {
      const { response, ...asked } = schema;
      const described = describeRequest({ ...route, schema: asked });
      if (response === undefined) return described;
      // Where commands are counted, and nothing else stands there, any answer may say how many are left.
      const isCounted = route.route.preValidation !== undefined;
      const answers = describeAnswers(response as Answers, isCounted ? [...ANY_ANSWER, ...COUNTED_ANSWER] : ANY_ANSWER);
      return { ...described, schema: { ...described.schema, response: answers } };
    },
    transformObject: (described) => tidy(describeSchemas(described) as Document),
  });
  await api.register(async (pages) => {
    await pages.register(helmet, {
      contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    });
    const uiConfig = { persistAuthorization: true, tryItOutEnabled: true };
    await pages.register(swaggerUi, { routePrefix: DOCS, uiConfig });
  });
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger());
}

const zodToJsonConfig = { override: plain };
const describeRequest = createJsonSchemaTransform({ skipList: [], zodToJsonConfig });
const describeSchemas = createJsonSchemaTransformObject({ zodToJsonConfig });

/** Leaves out what zod says twice: the long patterns of formats that have a name, and the bounds that no integer reaches. */
function plain({ jsonSchema }: { readonly jsonSchema: { pattern?: string; format?: string; minimum?: number } }): void {
  if (jsonSchema.format === 'date-time') jsonSchema.pattern = '\\.\\d{3}Z$';
  else if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

type Document = {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
type Operation = {
  readonly parameters?: readonly { name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { headers?: Record<string, { schema: unknown }> }>>;
};

/** Puts right what the generators cannot say: headers as references and in their usual case, and no shapes but those used. */
function tidy({ components, paths, ...rest }: Document) {
  for (const { parameters = [], responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
    for (const parameter of parameters) if (parameter.in === 'header') parameter.name = titleCase(parameter.name);
    for (const response of Object.values(responses)) {
      const headers = Object.entries(response.headers ?? {});
      response.headers = Object.fromEntries(headers.map(([name, { schema }]) => [name, schema]) as never);
    }
  }
  const schemas = Object.entries(components.schemas)
    .filter(([name]) => !name.endsWith('Input'))
    .sort(([a], [b]) => a.localeCompare(b, 'en'));
  const shared = { schemas: Object.fromEntries(schemas), headers: answerHeaders, examples: problemExamples };
  return { ...rest, paths, components: { ...components, ...shared } };
}

/** `if-none-match` → `If-None-Match`. */
function titleCase(header: string): string {
  return header.replace(/\b[a-z]/g, (message) => message.toUpperCase());
}
