import http from 'node:http';
import https from 'node:https';
import type { CheckJoin, JoinAttempt } from '#ports/queue/join-check.ts';
import { type Answer, postJson } from './post-json.ts';

export type JoinCheckSettings = {
  /** Set by the operator, so it may be of an internal server. */
  readonly url: string;
  readonly timeoutMs: number;
};

export type HttpJoinCheck = {
  readonly check: CheckJoin;
  /** Closes the connections. */
  close(): void;
};

const CONNECTIONS_MAX = 100;
/** Bounds the checks that wait for a connection or an answer. A further one fails at once. */
export const CHECKS_MAX = 1_000;
/** An outage in a rush would log thousands. */
const REPORT_EVERY_MS = 10_000;
const FORBIDDEN = 403;

/** @param report called with the reason of a failure and the number of failures since the last call */
export function httpJoinCheck(
  { url: text, timeoutMs }: JoinCheckSettings,
  report: (reason: string, count: number) => void,
): HttpJoinCheck {
  const url = new URL(text);
  const { Agent } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  let underWay = 0;
  let failures = 0;
  let reportAt = Number.NEGATIVE_INFINITY;

  async function post(attempt: JoinAttempt, signal: AbortSignal): Promise<Answer> {
    const body = JSON.stringify(attempt);
    const send = () => postJson({ url, body, headers: { 'user-agent': 'Frontrow' }, agent, signal });
    underWay += 1;
    try {
      return await send().catch((error: NodeJS.ErrnoException) => {
        // The server may close an idle connection in the moment in which it is used again.
        if (error.code !== 'ECONNRESET') throw error;
        return send();
      });
    } finally {
      underWay -= 1;
    }
  }

  function fail(reason: string): 'failed' {
    failures += 1;
    if (performance.now() < reportAt) return 'failed';
    reportAt = performance.now() + REPORT_EVERY_MS;
    report(reason, failures);
    failures = 0;
    return 'failed';
  }

  return {
    async check(attempt) {
      if (underWay >= CHECKS_MAX) return fail(`more than ${CHECKS_MAX} checks at once`);
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const { status } = await post(attempt, signal);
        if (status >= 200 && status <= 299) return 'allowed';
        return status === FORBIDDEN ? 'refused' : fail(`status ${status}`);
      } catch (error) {
        return fail(signal.aborted ? `timeout after ${timeoutMs} ms` : (error as Error).message);
      }
    },
    close: () => agent.destroy(),
  };
}
