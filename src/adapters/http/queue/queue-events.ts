import { finished } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { guarded } from '#adapters/http/guards/guard.ts';
import { queueEntryOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { eventStream, noContent } from '#adapters/http/openapi/answers.ts';
import { lastEventId, queueStatusEvents } from './queue-schemas.ts';
import type { Sink } from './queue-status-stream.ts';

export function queueEventRoutes(api: Api, { guards, streams, logAnswer }: Kit): void {
  api.get(
    '/queue/events',
    guarded([guards.queueTokenInQuery], {
      // A HEAD request would start a stream in vain.
      exposeHeadRoute: false,
      schema: {
        operationId: 'followQueue',
        tags: ['queue'],
        summary: 'Follow my queue status',
        description:
          'Sends the queue status at once and on each change: a new `status` at once, other changes at most once a second. ' +
          'Following counts as a heartbeat. The stream ends after `EXPIRED`, after some minutes and when an instance stops; ' +
          'an EventSource reconnects by itself and gets only what it has not seen. On 503, poll `GET /v1/queue`.',
        headers: lastEventId,
        response: {
          200: eventStream(queueStatusEvents, 'Queue statuses, until the client disconnects or the entry ends'),
          204: noContent('The entry has ended and the client has seen that: an EventSource does not reconnect'),
        },
        refusals: ['concert-not-found'],
      },
    }),
    async (request, reply) => {
      const seen = request.headers['last-event-id'];
      const begun = await streams.open(queueEntryOf(request), seen, () =>
        beginStream(reply, () => logAnswer(request, reply)),
      );
      return begun ? reply : reply.status(204).send();
    },
  );
}

/** Takes the answer over from Fastify: from here on, the stream writes to the socket. */
function beginStream(reply: FastifyReply, onCut: () => void): Sink {
  reply.hijack();
  const { raw } = reply;
  reply.type('text/event-stream; charset=utf-8');
  // Turns the buffering of nginx off.
  reply.header('x-accel-buffering', 'no');
  // A keep-alive connection would delay a shutdown.
  reply.header('connection', 'close');
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200);
  // Fastify does not see the end of an answer that was cut off.
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
