import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { AccessTokens } from './access-token.ts';
import type { Guard } from './guard.ts';
import { userIdOf } from './request-data.ts';

const BEARER = /^Bearer +([\w.-]+)$/i;

/** Reads the user from the access token of a request. Refuses `unauthenticated`. */
export type Authenticate = (request: FastifyRequest) => Promise<void>;

export function authenticateBy(tokens: AccessTokens): Authenticate {
  return async (request) => {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const user = token === undefined ? undefined : await tokens.verify(token);
    if (user === undefined) throw new Refusal('unauthenticated');
    request.userId = user;
  };
}

/** Requires a genuine access token. */
export function accessTokenGuard(authenticate: Authenticate) {
  return {
    onRequest: authenticate,
    security: [{ accessToken: [] }],
    refusals: ['unauthenticated'],
  } as const satisfies Guard;
}

/** Behind the guard of the access token: requires the user whom the path names. */
export const selfGuard = {
  onRequest(request) {
    const { userId: named } = request.params as { userId: string };
    if (named.toLowerCase() !== userIdOf(request)) throw new Refusal('forbidden');
  },
  refusals: ['forbidden'],
} as const satisfies Guard;
