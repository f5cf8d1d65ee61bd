import { finished } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { claimOf } from '#adapters/http/guards/queue-pass.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { eventStream, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { headers } from '#adapters/http/schemas.ts';
import { standingEvents } from './queue-schemas.ts';
import type { Sink } from './queue-status-stream.ts';

export function queueEventRoutes(api: Api, { queuePass, streams, tellAnswer }: Kit): void {
  api.get(
    '/queue/events',
    {
      onRequest: queuePass.requireTokenOrQuery,
      // It would begin a stream for nobody.
      exposeHeadRoute: false,
      schema: {
        operationId: 'followQueue',
        tags: ['queue'],
        summary: 'My place in line, told as it changes',
        description:
          'A standing at once and on each change: of its status at once, else once a second at most. Listening counts as ' +
          'being there. The stream ends after `EXPIRED`, after some minutes and when an instance stops; an EventSource comes ' +
          'back by itself, and is told nothing that it knows. On 503, poll `GET /v1/queue`.',
        security: [{ queueToken: [] }, { queueTokenInQuery: [] }],
        headers: headers.lastEventId,
        response: {
          200: eventStream(standingEvents, 'Standings, until the client goes or the place is over'),
          204: noContent('The place is over, and the client has seen that: an EventSource does not come back'),
          ...refusals('concert-not-found', ...refusedBy.queueToken),
        },
      },
    },
    async (request, reply) => {
      const seen = request.headers['last-event-id'];
      const begun = await streams.open(claimOf(request), seen, () =>
        beginStream(reply, () => tellAnswer(request, reply)),
      );
      return begun ? reply : reply.status(204).send();
    },
  );
}

/** Takes the answer out of the framework's hands: from here on, what is sent is for the stream to say. */
function beginStream(reply: FastifyReply, onCut: () => void): Sink {
  reply.hijack();
  const { raw } = reply;
  reply.type('text/event-stream; charset=utf-8');
  // Else nginx would gather what is sent.
  reply.header('x-accel-buffering', 'no');
  // A connection that was kept alive would keep a stopping instance alive.
  reply.header('connection', 'close');
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200);
  // An answer that was cut off has not finished, as far as the framework knows.
  raw.once('close', () => {
    if (!raw.writableFinished) onCut();
  });
  return {
    send(text) {
      if (!raw.destroyed) raw.write(text);
    },
    backlogBytes: () => raw.writableLength,
    end: () => void raw.end(),
    cut: () => void raw.destroy(),
    onGone: (callback) => void finished(raw, callback),
  };
}
