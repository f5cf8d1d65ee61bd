import { pino } from 'pino';
import { createServer } from '#adapters/http/server.ts';
import type { Ports } from '#ports/index.ts';
import type { Records } from '#ports/records/records.ts';

/** Builds the OpenAPI document without stores: the routes are registered, and never called. */
export async function openApiDocument() {
  const server = await createServer({
    ports: {} as Ports,
    records: {} as Records,
    settings: {
      bodyLimitBytes: 1,
      rateLimitPerMinute: 0,
      pollLimitPerMinute: 0,
      logSample: 1,
      corsOrigins: [],
      trustProxy: false,
      currency: 'KRW',
      identity: { secret: '', seconds: 0 },
      queueTokenKeys: [{ id: '', secret: '' }],
      adminKeys: [],
      joinChallenge: undefined,
      joinCheckFailure: 'closed',
      streams: { max: 0, heartbeatSeconds: 1 },
      exports: { max: 0, stalledMs: 1 },
    },
    log: pino({ enabled: false }),
    probes: { essential: {}, helpful: {} },
    stopping: () => false,
    checkJoin: undefined,
    countCommands: async () => ({ count: 0, remainingMs: 0 }),
  });
  try {
    return server.swagger();
  } finally {
    await server.close();
  }
}
