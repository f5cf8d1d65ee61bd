import type { Api, Kit } from '#adapters/http/kit.ts';
import { alive, health } from '#adapters/http/schemas.ts';

export function healthRoutes(api: Api, { readiness }: Kit): void {
  api.get(
    '/livez',
    { schema: { tags: ['health'], summary: 'Is the process alive?', response: { 200: alive } } },
    async () => ({ status: 'alive' as const }),
  );

  api.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Can it serve?',
        description: 'Not while Redis or Postgres is away, nor once the process was told to stop.',
        response: { 200: health, 503: health },
      },
    },
    async (request, reply) => {
      const { ready, checks } = await readiness(request.log);
      return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not-ready', checks });
    },
  );
}
