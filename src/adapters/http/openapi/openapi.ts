import helmet from '@fastify/helmet';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Api } from '#adapters/http/kit.ts';
import { answerHeaders } from './answers.ts';
import { problemExamples } from './describe-answers.ts';
import { describeRoute } from './describe-route.ts';
import { securitySchemes } from './security-schemes.ts';
import { zodToJsonConfig } from './zod-to-json.ts';

const DOCS = '/docs';

/** Swagger UI needs inline styles. Nothing needs another origin. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
};

/** What the document says besides its routes. */
const general: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'Frontrow',
    version: '1.0.0',
    description:
      'Concert booking with a fair waiting room. Create a user, join the queue of a concert, poll until you are ACTIVE, ' +
      'choose seats, reserve, charge your balance, pay.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The server of this document' }],
  tags: [
    { name: 'queue', description: 'The queue of a concert' },
    { name: 'concerts', description: 'Concerts, dates and seats' },
    { name: 'reservations', description: 'Held seats, and what becomes of them' },
    { name: 'payments', description: 'Payments from the balance' },
    { name: 'users', description: 'Users and their prepaid balances' },
    { name: 'admin', description: 'For operators: concerts, their seats and their admission policy' },
    { name: 'webhooks', description: 'For operators: webhook endpoints, deliveries and replays' },
    { name: 'health', description: 'For load balancers' },
  ],
  components: { securitySchemes },
};

/** Serves the document and its pages. It is built from the schemas that validate and the guards that run. */
export async function registerOpenApi(api: Api): Promise<void> {
  await api.register(swagger, {
    openapi: general,
    transform: describeRoute as never,
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

const describeSchemas = createJsonSchemaTransformObject({ zodToJsonConfig });

type Document = {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
type Operation = {
  readonly parameters?: readonly { name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { headers?: Record<string, { schema: unknown }> }>>;
};

/** Corrects what the generators get wrong: headers as references in their usual case, and unused schemas. */
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
