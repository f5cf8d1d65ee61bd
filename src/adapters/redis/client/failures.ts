import { refusalBecause } from '#domain/errors.ts';

const RETRY_AFTER_SECONDS = 1;

/** Errors of ioredis without a code: the connection is down, closes, or times out. */
const UNREACHABLE =
  /Connection is closed|due to connection close|Stream isn't writeable|Command timed out|Reached the max retries|Socket timeout|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT/;
/** The same for a cluster without a reachable node or with endless redirections, and for sentinels. */
const NOBODY_THERE =
  /^(Cluster isn't ready|Cluster is ended|None of startup nodes|Failed to refresh slots cache|Too many Cluster redirections|All sentinels are unreachable)/;
/** Redis answers and cannot serve: starting, read-only replica, out of memory, no primary. */
const UNABLE = /^(LOADING|READONLY|OOM|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|TRYAGAIN)/;

/** Refuses `unavailable` when Redis is unreachable or cannot serve. Other errors propagate. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (![UNREACHABLE, NOBODY_THERE, UNABLE].some((failure) => failure.test(message))) throw error;
    throw refusalBecause(error, 'unavailable', RETRY_AFTER_SECONDS);
  }
}
