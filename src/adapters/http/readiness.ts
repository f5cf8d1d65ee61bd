import type { FastifyBaseLogger } from 'fastify';

/** Fails when the thing asked about cannot serve. */
export type Probe = () => Promise<void>;

export type Readiness = (log: FastifyBaseLogger) => Promise<{
  readonly ready: boolean;
  readonly checks: Record<string, 'up' | 'down'>;
}>;

/** Ready while every probe succeeds and nobody has asked us to stop. */
export function readinessOf(probes: Readonly<Record<string, Probe>>, stopping: () => boolean): Readiness {
  return async (log) => {
    const checks = await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => {
        const state = await probe().then(
          () => 'up' as const,
          (error: unknown) => {
            log.warn({ err: error, probe: name }, 'not ready');
            return 'down' as const;
          },
        );
        return [name, state] as const;
      }),
    );
    return { ready: !stopping() && checks.every(([, state]) => state === 'up'), checks: Object.fromEntries(checks) };
  };
}
