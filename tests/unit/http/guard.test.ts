import swagger from '@fastify/swagger';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Guard, guarded } from '#adapters/http/guards/guard.ts';
import { describeRoute } from '#adapters/http/openapi/describe-route.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';

const body = z.object({ seat: z.int() });

/** A route behind two guards, what ran on the way to its handler, and its part of the document. */
async function aRoute(refusing?: string) {
  const ran: string[] = [];
  const step = (name: string) => () => {
    ran.push(name);
    if (name === refusing) throw new Refusal('forbidden');
  };
  const first: Guard = {
    onRequest: step('first onRequest'),
    preHandler: step('first preHandler'),
    security: [{ adminKey: [] }],
    refusals: ['unauthenticated', 'forbidden'],
  };
  const second: Guard = {
    onRequest: async () => step('second onRequest')(),
    preValidation: step('second preValidation'),
    preHandler: step('second preHandler'),
    requestHeaders: z.object({ 'x-limit': z.string() }),
    headersOfAnyAnswer: ['RateLimit'],
    headersOfSuccess: ['Link'],
    refusals: ['rate-limited'],
  };
  const api = Fastify().setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler);
  api.setErrorHandler(answerProblem);
  await api.register(swagger, {
    openapi: { openapi: '3.1.0', components: { securitySchemes: { adminKey: { type: 'http', scheme: 'bearer' } } } },
    transform: describeRoute as never,
  });
  const response = { 204: z.undefined().meta({ description: 'Done', headers: [] }) };
  api.post(
    '/',
    guarded([first, second], { schema: { body, response, refusals: ['seat-taken'] } }),
    async (_, reply) => {
      ran.push('handler');
      return reply.status(204).send();
    },
  );
  const send = async (seat: unknown = 7) =>
    (await api.inject({ method: 'POST', url: '/', payload: { seat } })).statusCode;
  const described = async () => {
    await api.ready();
    return (api.swagger() as unknown as { paths: Record<string, { post: Described }> }).paths['/']?.post;
  };
  return { ran, send, described };
}

type Described = {
  readonly security: unknown;
  readonly parameters: readonly { readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly headers: object; readonly description: string }>>;
};

describe('a guarded route', () => {
  it('runs the checks stage by stage, and within a stage in the order of its guards', async () => {
    const { ran, send } = await aRoute();
    expect(await send()).toBe(204);
    expect(ran).toEqual([
      ...['first onRequest', 'second onRequest', 'second preValidation'],
      ...['first preHandler', 'second preHandler', 'handler'],
    ]);
  });

  it('runs nothing after a check that refuses', async () => {
    const { ran, send } = await aRoute('second onRequest');
    expect(await send()).toBe(403);
    expect(ran.at(-1)).toBe('second onRequest');
  });

  it('validates between the two last stages', async () => {
    const { ran, send } = await aRoute();
    expect(await send('7')).toBe(400);
    expect(ran.at(-1)).toBe('second preValidation');
  });

  it('is documented with the headers and refusals of its guards', async () => {
    const { described } = await aRoute();
    const { security, parameters, responses } = (await described()) as Described;
    expect(security).toEqual([{ adminKey: [] }]);
    expect(parameters.map(({ name }) => name)).toEqual(['x-limit']);
    const headersOf = (status: number) => Object.keys(responses[status]?.headers ?? {});
    expect(headersOf(204)).toEqual(['X-Request-Id', 'RateLimit', 'Link']);
    expect(headersOf(409)).toEqual(['X-Request-Id', 'RateLimit']);
    const codes = Object.values(responses).map(({ description }) => description);
    expect(codes.join()).toMatch(/`seat-taken`/);
    for (const code of ['unauthenticated', 'forbidden', 'rate-limited', 'body-too-large', 'validation-failed']) {
      expect(codes.join(), code).toContain(`\`${code}\``);
    }
  });
});
