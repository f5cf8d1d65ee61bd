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

/** Says how often a client may still come, in the field of draft-ietf-httpapi-ratelimit-headers-10. */
export function tellRate(reply: FastifyReply, { name, remaining, resetSeconds }: Rate): void {
  reply.header('ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`);
}

/** The same to those who come too often, and how often they may: the others are many, and need not be told each time. */
export function tellRateExceeded(reply: FastifyReply, rate: Omit<Rate, 'remaining'>): void {
  tellRate(reply, { ...rate, remaining: 0 });
  reply.header('ratelimit-policy', `"${rate.name}";q=${rate.max};w=${rate.windowSeconds}`);
}
