import type { FastifyReply } from 'fastify';

// The fields of draft-ietf-httpapi-ratelimit-headers-10.

type Window = {
  /** What is counted. */
  readonly name: string;
  /** How long the window goes on. */
  readonly resetSeconds: number;
};

type Policy = { readonly max: number; readonly windowSeconds: number };

/** Says how often a client may still come in this window. */
export function tellRate(reply: FastifyReply, { name, resetSeconds }: Window, remaining: number): void {
  reply.header('ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`);
}

/** The same to those who come too often, and how often they may: the others are many, and need not be told each time. */
export function tellRateExceeded(reply: FastifyReply, window: Window, { max, windowSeconds }: Policy): void {
  tellRate(reply, window, 0);
  reply.header('ratelimit-policy', `"${window.name}";q=${max};w=${windowSeconds}`);
}
