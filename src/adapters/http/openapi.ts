import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Api } from './kit.ts';

const DOCS = '/docs';

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
      tags: [
        { name: 'queue', description: 'The line in front of a concert' },
        { name: 'concerts', description: 'Concerts, dates and seats' },
        { name: 'reservations', description: 'Seats held for a while' },
        { name: 'payments', description: 'Seats paid for' },
        { name: 'users', description: 'Users and their prepaid balances' },
        { name: 'health', description: 'For load balancers' },
      ],
      components: {
        securitySchemes: {
          accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          queueToken: { type: 'apiKey', in: 'header', name: 'Queue-Token' },
        },
      },
    },
    transform: createJsonSchemaTransform({ skipList: [] }),
    transformObject: jsonSchemaTransformObject,
  });
  await api.register(swaggerUi, { routePrefix: DOCS, uiConfig: { persistAuthorization: true, tryItOutEnabled: true } });
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger());
}
