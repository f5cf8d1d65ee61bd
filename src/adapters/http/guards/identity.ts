import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { UserId } from '#domain/ids.ts';
import { type AccessTokenSettings, type AccessTokens, accessTokens } from './access-token.ts';
import { type Hook, hook } from './hook.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, once `requireUser` has let the request pass. */
    user: UserId | undefined;
  }
}

/** Says who a user is: issues access tokens and checks them. */
export type Identity = {
  readonly issue: AccessTokens['issue'];
  /** Refuses requests without a genuine access token. */
  check(request: FastifyRequest): void | Promise<void>;
  /** The same as a hook. */
  readonly requireUser: Hook;
};

const BEARER = /^Bearer +([\w.-]+)$/i;

export function builtInIdentity(settings: AccessTokenSettings): Identity {
  const { issue, verify } = accessTokens(settings);

  function check(request: FastifyRequest): void | Promise<void> {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Refusal('unauthenticated');
    const user = verify(token);
    if (typeof user !== 'string') return user.then((late) => accept(request, late));
    accept(request, user);
  }

  return { issue, check, requireUser: hook(check) };
}

function accept(request: FastifyRequest, user: UserId | undefined): void {
  if (user === undefined) throw new Refusal('unauthenticated');
  request.user = user;
}

/** The user of a request that `requireUser` has let pass. */
export function userOf(request: FastifyRequest): UserId {
  if (request.user === undefined) throw new RangeError('this route has no requireUser hook');
  return request.user;
}

/** A hook behind `requireUser`: the user named in the path is the one who asks. */
export const requireSelf = hook((request) => {
  const { userId: named } = request.params as { userId: string };
  if (named.toLowerCase() !== userOf(request)) throw new Refusal('forbidden');
});
