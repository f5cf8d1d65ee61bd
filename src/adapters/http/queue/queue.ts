import { concertParams } from '#adapters/http/catalog/concert-schemas.ts';
import { guarded } from '#adapters/http/guards/guard.ts';
import { queueEntryOf, userIdOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { sendJson } from '#adapters/http/send-json.ts';
import { concertId } from '#domain/ids.ts';
import { joinQueue } from '#use-cases/queue/join-queue.ts';
import { leaveQueue } from '#use-cases/queue/leave-queue.ts';
import { pollQueue } from '#use-cases/queue/poll-queue.ts';
import { joined, queueStatus } from './queue-schemas.ts';
import { writeJoined, writeQueueStatus } from './write-queue-status.ts';

export function queueRoutes(api: Api, kit: Kit): void {
  joinQueueRoute(api, kit);
  pollQueueRoute(api, kit);
  leaveQueueRoute(api, kit);
}

function joinQueueRoute(api: Api, { guards, ports, queueTokens, joinChallenges }: Kit): void {
  api.post(
    '/concerts/:concertId/queue',
    guarded([guards.accessToken, guards.joinLimit, guards.joinChallenge, guards.joinCheck], {
      config: { summarizedAs: 'joins' },
      schema: {
        operationId: 'joinQueue',
        tags: ['queue'],
        summary: 'Join the queue, or get my queue entry again',
        params: concertParams,
        response: {
          200: answer(joined, 'Already joined: the same entry, the same token'),
          201: answer(joined, 'Joined'),
        },
        refusals: ['sales-not-open', 'sales-closed', 'concert-not-found', 'queue-full'],
      },
    }),
    async (request, reply) => {
      const asked = { concertId: concertId(request.params.concertId), userId: userIdOf(request) };
      const { queueStatus: status, fresh } = await joinQueue(ports, asked);
      if (fresh) joinChallenges?.noteJoin();
      const token = queueTokens.sign(status.entry);
      sendJson(reply.status(fresh ? 201 : 200), writeJoined(status, token));
      return reply;
    },
  );
}

function pollQueueRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/queue',
    guarded([guards.queueToken, guards.pollLimit], {
      config: { summarizedAs: 'polls' },
      schema: {
        operationId: 'pollQueue',
        tags: ['queue'],
        summary: 'My queue status',
        description: 'Always 200 while the token is genuine. Poll again after `Retry-After` seconds.',
        response: { 200: answer(queueStatus, 'The queue status', 'Retry-After') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request, reply) => {
      const status = await pollQueue(ports, queueEntryOf(request));
      sendJson(reply.header('retry-after', status.pollAfterSeconds), writeQueueStatus(status));
      return reply;
    },
  );
}

function leaveQueueRoute(api: Api, { guards, ports }: Kit): void {
  api.delete(
    '/queue',
    guarded([guards.queueToken, guards.commandLimit], {
      schema: {
        operationId: 'leaveQueue',
        tags: ['queue'],
        summary: 'Leave the queue',
        description: 'Ends an active session as well, and releases its held seats.',
        response: { 204: noContent('Left') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request, reply) => {
      await leaveQueue(ports, queueEntryOf(request));
      return reply.status(204).send();
    },
  );
}
