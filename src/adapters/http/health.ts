import { alive, health } from './health-schemas.ts';
import type { Api, Kit } from './kit.ts';
import { answer } from './openapi/answers.ts';

export function healthRoutes(api: Api, { readiness }: Kit): void {
  api.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        tags: ['health'],
        summary: 'Liveness',
        security: [],
        response: { 200: answer(alive, 'The process is alive') },
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
        summary: 'Readiness',
        description:
          'Not ready while Postgres is unavailable, while Redis may evict keys, and during a shutdown. ' +
          'Degraded while Redis is unavailable: joining and reserving are refused, paying and reading work.',
        security: [],
        response: { 200: answer(health, 'Ready or degraded'), 503: answer(health, 'Not ready') },
      },
    },
    async (request, reply) => {
      const state = await readiness(request.log);
      return reply.status(state.status === 'not-ready' ? 503 : 200).send(state);
    },
  );
}
