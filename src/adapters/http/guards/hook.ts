import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';

export type Hook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
) => void | Promise<void>;

/** A hook that lets pass what a check does not refuse. Where the check knows at once, nobody waits for a promise. */
export function hook(check: (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>): Hook {
  return (request, reply, done): void | Promise<void> => {
    const pending = check(request, reply);
    if (pending !== undefined) return pending;
    done();
  };
}
