import { concertParams } from '#adapters/http/catalog/concert-schemas.ts';
import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { concertId } from '#domain/ids.ts';
import { readQueue } from '#use-cases/queue/read-queue.ts';
import { queueFigures } from './queue-schemas.ts';

/** What operators see of a queue. */
export function queueFigureRoutes(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/concerts/:concertId/line',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'getQueueFigures',
        tags: ['admin'],
        summary: 'The figures of a queue',
        params: concertParams,
        response: { 200: answer(queueFigures, 'The figures, all of the same moment') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => {
      const { head, ...figures } = await readQueue(ports, concertId(request.params.concertId));
      return { ...figures, frontier: head };
    },
  );
}
