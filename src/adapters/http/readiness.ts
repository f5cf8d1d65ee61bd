import type { FastifyBaseLogger } from 'fastify';
import { Refusal } from '#domain/errors.ts';

/** Fails when the thing asked about cannot serve; with `unavailable` when it cannot be reached. */
export type Probe = () => Promise<void>;

export type Probes = {
  /** Without any of these nothing can be served. */
  readonly essential: Readonly<Record<string, Probe>>;
  /** While one of these is out of reach, the rest is still served. Reached, it has to be as we need it. */
  readonly helpful: Readonly<Record<string, Probe>>;
};

export type Readiness = (log: FastifyBaseLogger) => Promise<{
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: Record<string, 'up' | 'down'>;
}>;

const PROBE_MS = 1_000;

/** Whether to send requests here: not while nothing could be served, nor once somebody has asked us to stop. */
export function readinessOf({ essential, helpful }: Probes, stopping: () => boolean): Readiness {
  return async (log) => {
    async function ask(name: string, probe: Probe): Promise<{ name: string; failure?: unknown }> {
      try {
        await within(PROBE_MS, probe());
        return { name };
      } catch (failure) {
        log.warn({ err: failure, probe: name }, 'not as it should be');
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

/** A probe that hangs has failed: whoever asks is not to hang with it. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const late = new Refusal('unavailable', { retryAfterSeconds: 1 });
  const timer = setTimeout(reject, milliseconds, late);
  return Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}

function isOutOfReach(failure: unknown): boolean {
  return failure instanceof Refusal && failure.code === 'unavailable';
}
