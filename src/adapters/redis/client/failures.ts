import { refusalBecause } from '#domain/errors.ts';

const RETRY_AFTER_SECONDS = 1;

/** What ioredis throws, without a code, when the connection is down, closes, or does not answer in time. */
const UNREACHABLE =
  /Connection is closed|due to connection close|Stream isn't writeable|Command timed out|Reached the max retries|Socket timeout|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT/;
/** The same, of a cluster of which no node can be reached or whose nodes send us round in a circle, and of sentinels. */
const NOBODY_THERE =
  /^(Cluster isn't ready|Cluster is ended|None of startup nodes|Failed to refresh slots cache|Too many Cluster redirections|All sentinels are unreachable)/;
/** Redis is there and cannot serve: starting, read-only replica, out of memory, no master. */
const UNABLE = /^(LOADING|READONLY|OOM|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|TRYAGAIN)/;

/** Says `unavailable` when Redis cannot be reached or cannot serve; the rest rises untouched. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (![UNREACHABLE, NOBODY_THERE, UNABLE].some((failure) => failure.test(message))) throw error;
    throw refusalBecause(error, 'unavailable', RETRY_AFTER_SECONDS);
  }
}
