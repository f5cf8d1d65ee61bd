import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { countAnswers } from './answer-figures.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The log has a summary of the requests to this route, and a line for some of them. */
    summarizedAs?: Kind;
  }
}

const REFUSED = 400;
const CONFLICT = 409;
const isServed = (status: number) => status < REFUSED;

/** The requests that come by ten thousands a second at an opening, and their usual answers. */
const COUNTED = {
  polls: isServed,
  joins: isServed,
  'seat lists': isServed,
  // Of a thousand clients that want the same seat, one is served.
  reservations: (status: number) => status === CONFLICT,
};
type Kind = keyof typeof COUNTED;

export type RequestLog = {
  /** Logs an answer: route, duration, status. Never headers or the query, which carry tokens. */
  tell(request: FastifyRequest, reply: FastifyReply): void;
  /** Logs a last summary. */
  stop(): void;
};

const SUMMARY_MS = 10_000;

/**
 * Logs one line per request, except for those of `COUNTED`: a line costs half of a poll, and a seventh of a join. For each
 * such kind the log has a summary every ten seconds, a line for one in `sample` of the usual answers, and a line for each
 * other answer.
 */
export function requestLog(log: FastifyBaseLogger, sample: number): RequestLog {
  // These lines hold no credentials, and redaction costs as much as writing them.
  const plain = log.child({}, { redact: [] });
  const counted = new Map(
    (Object.keys(COUNTED) as Kind[]).map((kind) => [
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

  /** True for one in `sample`. */
  function isSampled(kind: { unsampled: number }): boolean {
    kind.unsampled = (kind.unsampled + 1) % sample;
    return kind.unsampled === 0;
  }

  return {
    tell(request, reply) {
      const { elapsedTime, statusCode } = reply;
      const { config, url } = request.routeOptions;
      const kind = config?.summarizedAs === undefined ? undefined : counted.get(config.summarizedAs);
      if (kind !== undefined) {
        kind.answers.add(statusCode, elapsedTime);
        if (kind.isUsual(statusCode) && !isSampled(kind)) return;
      }
      plain.info(
        {
          requestId: request.id,
          method: request.method,
          route: url ?? 'unknown',
          path: request.url.split('?', 1)[0],
          status: statusCode,
          milliseconds: Math.round(elapsedTime * 10) / 10,
          userId: request.userId,
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
