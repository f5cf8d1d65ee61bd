import type { Api, Kit } from './kit.ts';
import { answer } from './openapi/answers.ts';
import { alive, health } from './schemas.ts';

export function healthRoutes(api: Api, { readiness }: Kit): void {
  api.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        tags: ['health'],
        summary: 'Is the process alive?',
        security: [],
        response: { 200: answer(alive, 'It is') },
      },
    },
    async () => ({ status: 'alive' as const }),
  );

  api.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'Can it serve?',
        description:
          'Not while Postgres is away, nor while Redis may evict what it knows, nor once the process was told to stop. ' +
          'Degraded while Redis is away: nobody can join or reserve, but who holds a seat can pay.',
        security: [],
        response: { 200: answer(health, 'It can'), 503: answer(health, 'It cannot') },
      },
    },
    async (request, reply) => {
      const state = await readiness(request.log);
      return reply.status(state.status === 'not-ready' ? 503 : 200).send(state);
    },
  );
}
