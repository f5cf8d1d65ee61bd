import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals } from '#adapters/http/openapi/answers.ts';
import { params } from '#adapters/http/schemas.ts';
import { viewPublicLine } from '#adapters/http/views.ts';
import { type ConcertId, concertId } from '#domain/ids.ts';
import { showQueue } from '#use-cases/queue/show-queue.ts';
import { handOut } from './hand-out.ts';
import { publicLine } from './queue-schemas.ts';

/** What it is made of is looked at about as often. */
const STATUS_MS = 250;
/** As many lines as are asked for at the same time, and some more. */
const STATUSES_MAX = 1_000;

export function queueStatusRoutes(api: Api, { ports }: Kit): void {
  const write = async (id: ConcertId) => JSON.stringify(viewPublicLine(await showQueue(ports, id)));
  const statusOf = handOut(write, { forMs: STATUS_MS, textsMax: STATUSES_MAX });

  api.get(
    '/concerts/:concertId/queue/status',
    {
      schema: {
        operationId: 'showLine',
        tags: ['queue'],
        summary: 'How the line of a concert stands',
        description:
          'For everybody, and for caches: whoever knows their `sequence` can tell how far off they are. It does not count as ' +
          'being there: that takes `GET /v1/queue` or a stream.',
        security: [],
        params: params.concert,
        response: { 200: answer(publicLine, 'The line'), ...refusals('concert-not-found') },
      },
    },
    async (request, reply) => {
      const text = await statusOf(concertId(request.params.concertId));
      reply.header('cache-control', 'public, max-age=1').type('application/json; charset=utf-8');
      // Written already; the document says what it is.
      return reply.send(text as never);
    },
  );
}
