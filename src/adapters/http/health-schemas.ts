import { z } from 'zod';
import { named } from './openapi/schema-parts.ts';

const probe = z.enum(['up', 'down']);
export const health = named(
  'Health',
  z.object({
    status: z.enum(['ready', 'degraded', 'not-ready']).describe('degraded: what works without Redis is served'),
    checks: z.record(z.string(), probe),
  }),
  { status: 'ready', checks: { redis: 'up', postgres: 'up' } },
  { status: 'degraded', checks: { redis: 'down', postgres: 'up' } },
  { status: 'not-ready', checks: { redis: 'up', postgres: 'down' } },
);
export const alive = named('Alive', z.object({ status: z.literal('alive') }), { status: 'alive' });
