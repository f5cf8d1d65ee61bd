import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { hook } from './hook.ts';
import { countPolls } from './poll-figures.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Answered so often that it is counted, once `countedAsPoll` has said so. */
    isPoll: boolean;
  }
}

export type RequestLog = {
  /** Says that a request is answered: what, how long, how it ended. Never headers or a query: tokens travel there. */
  tell(request: FastifyRequest, reply: FastifyReply): void;
  /** Tells of the polls since the last summary. To be called at the end. */
  stop(): void;
};

const SUMMARY_MS = 10_000;
const REFUSED = 400;

/** A hook: its requests are polls. */
export const countedAsPoll = hook((request) => {
  request.isPoll = true;
});

/**
 * One line per request, except for polls: a line takes half of what a whole poll may. Of those there is a summary every ten
 * seconds, a line for one in `pollSample`, and one for each that was refused or failed.
 */
export function requestLog(log: FastifyBaseLogger, pollSample: number): RequestLog {
  // These lines cannot hold a credential, and looking for one takes as long as writing them.
  const plain = log.child({}, { redact: [] });
  const polls = countPolls();
  let unsampled = 0;

  function summarize(): void {
    const figures = polls.take();
    if (figures !== undefined) plain.info(figures, 'polls answered');
  }
  const timer = setInterval(summarize, SUMMARY_MS).unref();

  function isSampled(): boolean {
    unsampled = (unsampled + 1) % pollSample;
    return unsampled === 0;
  }

  return {
    tell(request, reply) {
      const { elapsedTime, statusCode } = reply;
      if (request.isPoll) {
        polls.add(statusCode, elapsedTime);
        if (statusCode < REFUSED && !isSampled()) return;
      }
      plain.info(
        {
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url ?? 'unknown',
          path: request.url.split('?', 1)[0],
          status: statusCode,
          milliseconds: Math.round(elapsedTime * 10) / 10,
          userId: request.user ?? request.claim?.userId,
          adminKeyId: request.adminKeyId,
          address: request.ip,
        },
        'answered',
      );
    },
    stop() {
      clearInterval(timer);
      summarize();
    },
  };
}
