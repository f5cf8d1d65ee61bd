import { concertParams } from '#adapters/http/catalog/concert-schemas.ts';
import { guarded } from '#adapters/http/guards/guard.ts';
import { joiningOf } from '#adapters/http/guards/pass-if-joined.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { joinChallenge } from './queue-schemas.ts';

export function joinChallengeRoutes(api: Api, { guards, joinChallenges }: Kit): void {
  api.get(
    '/concerts/:concertId/queue/challenge',
    guarded([guards.accessToken, guards.readLimit], {
      schema: {
        operationId: 'getJoinChallenge',
        tags: ['queue'],
        summary: 'A challenge to solve before joining',
        description:
          "In ALTCHA's format. Its solution is for one user and one concert, and valid for two minutes. Users with an " +
          'entry need none.',
        params: concertParams,
        response: {
          200: answer(joinChallenge, 'Solve it, and join with `Challenge-Solution`'),
          204: noContent('Joining needs no solution'),
        },
      },
    }),
    async (request, reply) => {
      if (joinChallenges === undefined) return reply.status(204).send();
      return joinChallenges.issue(joiningOf(request));
    },
  );
}
