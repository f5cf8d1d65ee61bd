import type { FastifyRequest } from 'fastify';
import { errors, jwtVerify, SignJWT } from 'jose';
import { Refusal } from '#domain/errors.ts';
import { type UserId, userId } from '#domain/ids.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, once `requireUser` has let the request pass. */
    user: UserId | undefined;
  }
}

export type AccessTokenSettings = { readonly secret: string; readonly seconds: number };

/** Says who a user is: signs access tokens and checks them. */
export type Identity = {
  issue(user: UserId): Promise<{ readonly accessToken: string; readonly expiresAt: Date }>;
  /** A hook: lets only requests with a genuine access token pass. */
  requireUser(request: FastifyRequest): Promise<void>;
};

const ISSUER = 'frontrow';
const BEARER = /^Bearer +([\w.-]+)$/i;

export function builtInIdentity({ secret, seconds }: AccessTokenSettings): Identity {
  const key = new TextEncoder().encode(secret);
  const expected = { issuer: ISSUER, audience: ISSUER, algorithms: ['HS256'], requiredClaims: ['sub', 'exp'] };

  return {
    async issue(user) {
      const expiresAt = new Date((Math.floor(Date.now() / 1_000) + seconds) * 1_000);
      const accessToken = await new SignJWT()
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setIssuer(ISSUER)
        .setAudience(ISSUER)
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(key);
      return { accessToken, expiresAt };
    },

    async requireUser(request) {
      const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) throw new Refusal('unauthenticated');
      try {
        const { payload } = await jwtVerify(token, key, expected);
        request.user = userId(payload.sub ?? '');
      } catch (error) {
        if (error instanceof errors.JOSEError) throw new Refusal('unauthenticated');
        throw error;
      }
    },
  };
}

/** The user of a request that `requireUser` has let pass. */
export function userOf(request: FastifyRequest): UserId {
  if (request.user === undefined) throw new RangeError('this route has no requireUser hook');
  return request.user;
}

/** A hook behind `requireUser`: the user named in the path is the one who asks. */
export async function requireSelf(request: FastifyRequest): Promise<void> {
  const { userId: named } = request.params as { userId: string };
  if (named.toLowerCase() !== userOf(request)) throw new Refusal('forbidden');
}
