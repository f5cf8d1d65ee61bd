import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { type Hook, hook } from '#adapters/http/guards/hook.ts';
import { countAnswers } from './answer-figures.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a kind that is answered so often that it is counted, once `countedAs` has said so. */
    countedAs: Counted | undefined;
  }
}

const REFUSED = 400;
const CONFLICT = 409;
const isServed = (status: number) => status < REFUSED;

/** What a crowd asks for, ten thousands of times in a second, and the answers that most of it gets. */
const COUNTED = {
  polls: isServed,
  joins: isServed,
  'lists of seats': isServed,
  // Of a thousand who want the same seat, one is served.
  'wishes for seats': (status: number) => status === CONFLICT,
};
type Counted = keyof typeof COUNTED;

export type RequestLog = {
  /** Says that a request is answered: what, how long, how it ended. Never headers or a query: tokens travel there. */
  tell(request: FastifyRequest, reply: FastifyReply): void;
  /** Tells of what was counted since the last summary. To be called at the end. */
  stop(): void;
};

const SUMMARY_MS = 10_000;

/** A hook: its requests are of this kind. */
export function countedAs(kind: Counted): Hook {
  return hook((request) => {
    request.countedAs = kind;
  });
}

/**
 * One line per request, except for what a crowd asks for: a line takes half of what a whole poll may, and a seventh of a
 * join. Of each such kind there is a summary every ten seconds, a line for one in `sample` of its usual answers, and one for
 * each other.
 */
export function requestLog(log: FastifyBaseLogger, sample: number): RequestLog {
  // These lines cannot hold a credential, and looking for one takes as long as writing them.
  const plain = log.child({}, { redact: [] });
  const counted = new Map(
    (Object.keys(COUNTED) as Counted[]).map((kind) => [
      kind,
      { answers: countAnswers(), isUsual: COUNTED[kind], unsampled: 0 },
    ]),
  );

  function summarize(): void {
    for (const [kind, { answers }] of counted) {
      const figures = answers.take();
      if (figures !== undefined) plain.info(figures, `${kind} answered`);
    }
  }
  const timer = setInterval(summarize, SUMMARY_MS).unref();

  /** Whether this is one in so many of its kind. */
  function isSampled(kind: { unsampled: number }): boolean {
    kind.unsampled = (kind.unsampled + 1) % sample;
    return kind.unsampled === 0;
  }

  return {
    tell(request, reply) {
      const { elapsedTime, statusCode } = reply;
      const kind = request.countedAs === undefined ? undefined : counted.get(request.countedAs);
      if (kind !== undefined) {
        kind.answers.add(statusCode, elapsedTime);
        if (kind.isUsual(statusCode) && !isSampled(kind)) return;
      }
      plain.info(
        {
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url ?? 'unknown',
          path: request.url.split('?', 1)[0],
          status: statusCode,
          milliseconds: Math.round(elapsedTime * 10) / 10,
          userId: request.user ?? request.entry?.userId,
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
