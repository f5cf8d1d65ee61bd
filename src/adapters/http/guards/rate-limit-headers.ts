import type { FastifyReply } from 'fastify';

// The headers of draft-ietf-httpapi-ratelimit-headers-10.

type Window = {
  /** The name of the limit. */
  readonly name: string;
  /** Seconds until the window ends. */
  readonly resetSeconds: number;
};

type Policy = { readonly max: number; readonly windowSeconds: number };

/** Sets `RateLimit`: how many requests are left in the window. */
export function setRateLimit(reply: FastifyReply, { name, resetSeconds }: Window, remaining: number): void {
  reply.header('ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`);
}

/** Sets `RateLimit` with none left, and `RateLimit-Policy`. Only refusals carry the policy, to keep other answers short. */
export function setRateLimitExceeded(reply: FastifyReply, window: Window, { max, windowSeconds }: Policy): void {
  setRateLimit(reply, window, 0);
  reply.header('ratelimit-policy', `"${window.name}";q=${max};w=${windowSeconds}`);
}
