import type { FastifyReply } from 'fastify';

export type Rate = {
  /** What is counted. */
  readonly name: string;
  readonly max: number;
  readonly windowSeconds: number;
  /** How often the client may still come in this window. */
  readonly remaining: number;
  /** How long the window goes on. */
  readonly resetSeconds: number;
};

/** Says how often a client may come, and how often it still may, in the fields of draft-ietf-httpapi-ratelimit-headers-10. */
export function tellRate(reply: FastifyReply, { name, max, windowSeconds, remaining, resetSeconds }: Rate): void {
  reply
    .header('ratelimit-policy', `"${name}";q=${max};w=${windowSeconds}`)
    .header('ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`);
}
