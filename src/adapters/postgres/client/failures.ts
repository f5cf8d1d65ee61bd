import { type Refusal, refusalBecause } from '#domain/errors.ts';

const RETRY_AFTER_SECONDS = 1;
/** Limits the retries after a deadlock or serialization failure, which undo everything. More of them are a bug. */
const TRIES_MAX = 3;

const RETRIABLE = new Set(['40P01', '40001']);
/** Lock timeout, statement timeout, too many connections. */
const BUSY = new Set(['55P03', '57014', '53300']);
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  // Prisma's codes for unreachable, timed out, hung up.
  'P1001',
  'P1008',
  'P1017',
]);
/** Connection exceptions, operator intervention (shutdown, crash, starting up). */
const UNREACHABLE_CLASSES = ['08', '57P'];
/** Errors of `pg` and Prisma's adapter that have no code. */
const POOL_TIMEOUT = /timeout exceeded when trying to connect/;
const CONNECTION_LOST =
  /Query read timeout|Connection terminated|Client has encountered a connection error|Can't reach database server/;

/**
 * Runs the work, and again if Postgres undid it. Refuses `busy` or `unavailable` when Postgres is; other errors
 * propagate.
 */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (RETRIABLE.has(codeOf(error)) && tries < TRIES_MAX) continue;
      throw asRefusal(error);
    }
  }
}

function asRefusal(error: unknown): unknown {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  if (BUSY.has(code) || RETRIABLE.has(code) || POOL_TIMEOUT.test(message)) {
    return refusalOf('busy', error);
  }
  const unreachable =
    UNREACHABLE.has(code) ||
    UNREACHABLE_CLASSES.some((start) => code.startsWith(start)) ||
    CONNECTION_LOST.test(message);
  return unreachable ? refusalOf('unavailable', error) : error;
}

/** The client sees the code alone; the cause is for the log. */
function refusalOf(code: 'busy' | 'unavailable', cause: unknown): Refusal {
  return refusalBecause(cause, code, RETRY_AFTER_SECONDS);
}

/** The SQLSTATE, system or Prisma code of an error, or of its cause. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const code: unknown = ofDriver(at) ?? Reflect.get(at, 'originalCode') ?? Reflect.get(at, 'code');
    if (typeof code === 'string') return code;
  }
  return '';
}

/** The code of Postgres that Prisma has wrapped. */
function ofDriver(error: Error): unknown {
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } } };
  return meta?.driverAdapterError?.cause?.originalCode;
}
