import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Probe, readinessOf } from '#adapters/http/readiness.ts';

const { log } = Fastify({ logger: false });
const up: Probe = async () => {};
const hangs: Probe = () => new Promise(() => {});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('readiness', () => {
  it.each([
    ['of what is essential', { postgres: hangs }, { redis: up }, 'not-ready', { postgres: 'down', redis: 'up' }],
    ['of what is helpful', { postgres: up }, { redis: hangs }, 'degraded', { postgres: 'up', redis: 'down' }],
  ])('is answered within a second, though a probe hangs: %s', async (_, essential, helpful, status, checks) => {
    const answer = readinessOf({ essential, helpful }, () => false)(log);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await answer).toEqual({ status, checks });
  });

  it('leaves no timer behind when the probes answer', async () => {
    const readiness = readinessOf({ essential: { postgres: up }, helpful: { redis: up } }, () => false);
    expect(await readiness(log)).toEqual({ status: 'ready', checks: { postgres: 'up', redis: 'up' } });
    expect(vi.getTimerCount()).toBe(0);
  });
});
