import { z } from 'zod';
import { example } from '#adapters/http/openapi/schema-parts.ts';
import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';
import type { Guard } from './guard.ts';
import type { JoinChallenges } from './join-challenge.ts';
import { joiningOf, passIfJoined } from './pass-if-joined.ts';

/** Requires the solution of a challenge, except of a user who has an entry. Without `challenges` all pass. */
export function joinChallengeGuard(
  ports: Pick<Ports, 'concerts' | 'queue' | 'random'>,
  challenges: JoinChallenges | undefined,
) {
  return {
    preHandler(request): void | Promise<void> {
      if (challenges === undefined) return;
      const reason = challenges.unsolved(request.headers['challenge-solution'], joiningOf(request));
      if (reason === undefined) return;
      return passIfJoined(ports, request, new Refusal('challenge-required', { reason }));
    },
    requestHeaders: z.object({
      'challenge-solution': example(
        z.string().optional().describe('The solution of the challenge, as ALTCHA encodes it; if one is required'),
        'eyJhbGdvcml0aG0iOiJTSEEtMjU2IiwibnVtYmVyIjoxNzQyM30=',
      ),
    }),
    refusals: ['challenge-required'],
  } as const satisfies Guard;
}
