import type { FastifyBaseLogger } from 'fastify';
import { Refusal } from '#domain/errors.ts';

/** Fails when the store cannot serve, with `unavailable` when it cannot be reached. */
export type Probe = () => Promise<void>;

export type Probes = {
  /** Not ready if one of these fails. */
  readonly essential: Readonly<Record<string, Probe>>;
  /** Degraded while one of these is unreachable. Not ready if it is reachable and misconfigured. */
  readonly helpful: Readonly<Record<string, Probe>>;
};

export type Readiness = (log: FastifyBaseLogger) => Promise<{
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: Record<string, 'up' | 'down'>;
}>;

const PROBE_MS = 1_000;

/** Tells a load balancer whether to send requests here. Never ready during a shutdown. */
export function readinessOf({ essential, helpful }: Probes, stopping: () => boolean): Readiness {
  return async (log) => {
    async function ask(name: string, probe: Probe): Promise<{ name: string; failure?: unknown }> {
      try {
        await within(PROBE_MS, probe());
        return { name };
      } catch (failure) {
        log.warn({ err: failure, probe: name }, 'readiness probe failed');
        return { name, failure };
      }
    }
    const askAll = (probes: Readonly<Record<string, Probe>>) =>
      Promise.all(Object.entries(probes).map(([name, probe]) => ask(name, probe)));

    const [needed, wanted] = await Promise.all([askAll(essential), askAll(helpful)]);
    const failures = (answers: typeof needed) => answers.filter(({ failure }) => failure !== undefined);
    const unfit = [...failures(needed), ...failures(wanted).filter(({ failure }) => !isOutOfReach(failure))];
    const checks = [...needed, ...wanted].map(({ name, failure }) => [name, failure === undefined ? 'up' : 'down']);
    return {
      status: stopping() || unfit.length > 0 ? 'not-ready' : failures(wanted).length > 0 ? 'degraded' : 'ready',
      checks: Object.fromEntries(checks),
    };
  };
}

/** A probe that hangs has failed, so that readiness answers in time. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const late = new Refusal('unavailable', { retryAfterSeconds: 1 });
  const timer = setTimeout(reject, milliseconds, late);
  return Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}

function isOutOfReach(failure: unknown): boolean {
  return failure instanceof Refusal && failure.code === 'unavailable';
}
