import { userOf } from '#adapters/http/guards/identity.ts';
import { claimOf } from '#adapters/http/guards/queue-pass.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { countedAs } from '#adapters/http/logging/request-log.ts';
import { answer, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { params } from '#adapters/http/schemas.ts';
import { sendJson } from '#adapters/http/send-json.ts';
import { concertId } from '#domain/ids.ts';
import { joinQueue } from '#use-cases/queue/join-queue.ts';
import { leaveQueue } from '#use-cases/queue/leave-queue.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import { joined, queueStatus } from './queue-schemas.ts';
import { writeJoined, writeStanding } from './write-queue-status.ts';

export function queueRoutes(
  api: Api,
  { ports, identity, queueTokens, queuePass, limitCommands, localLimits }: Kit,
): void {
  api.post(
    '/concerts/:concertId/queue',
    {
      onRequest: [countedAs('joins'), identity.requireUser, localLimits.joining],
      schema: {
        operationId: 'joinQueue',
        tags: ['queue'],
        summary: 'Join the line, or find my place in it',
        security: [{ accessToken: [] }],
        params: params.concert,
        response: {
          200: answer(joined, 'You were in line already: the same place, the same token'),
          201: answer(joined, 'You have a place'),
          ...refusals(
            'sales-not-open',
            'sales-closed',
            'concert-not-found',
            'queue-full',
            ...refusedBy.identity,
            ...refusedBy.command,
          ),
        },
      },
    },
    async (request, reply) => {
      const asked = { concertId: concertId(request.params.concertId), userId: userOf(request) };
      const { queueStatus, fresh } = await joinQueue(ports, asked);
      const token = queueTokens.sign(queueStatus.entry);
      sendJson(reply.status(fresh ? 201 : 200), writeJoined(queueStatus, token));
      return reply;
    },
  );

  api.get(
    '/queue',
    {
      onRequest: [countedAs('polls'), queuePass.requireToken, localLimits.polling],
      schema: {
        operationId: 'pollQueue',
        tags: ['queue'],
        summary: 'My place in line',
        description: 'Always 200 while the token is genuine. Ask again after `Retry-After` seconds.',
        security: [{ queueToken: [] }],
        response: {
          200: answer(queueStatus, 'Where you stand', 'Retry-After'),
          ...refusals('concert-not-found', ...refusedBy.queueToken, ...refusedBy.read),
        },
      },
    },
    async (request, reply) => {
      const told = await pollQueue(ports, claimOf(request));
      sendJson(reply.header('retry-after', told.pollAfterSeconds), writeStanding(told));
      return reply;
    },
  );

  api.delete(
    '/queue',
    {
      onRequest: queuePass.requireToken,
      preValidation: limitCommands,
      schema: {
        operationId: 'leaveQueue',
        tags: ['queue'],
        summary: 'Give my place up',
        description: 'Whoever is let in gives back the seats they hold as well.',
        security: [{ queueToken: [] }],
        response: {
          204: noContent('The place is given up'),
          ...refusals('concert-not-found', ...refusedBy.queueToken, ...refusedBy.command),
        },
      },
    },
    async (request, reply) => {
      await leaveQueue(ports, claimOf(request));
      return reply.status(204).send();
    },
  );
}
