import { expect, it } from 'vitest';
import { readConfig } from '#config/config.ts';

/** After a session has lapsed, for 99 of 100: a pause between two admissions, and what the one after it takes. */
const REFILL_MS = 150;
const ADMISSION_MS_MAX = 25;

it('by default admission runs often enough to give an expired session to the next entry in time', () => {
  const { jobs } = readConfig({
    DATABASE_URL: 'postgresql://user:password@db.example:5432/frontrow',
    REDIS_URL: 'redis://redis.example:6379',
    ACCESS_TOKEN_SECRET: 'an access secret of more than 32 characters',
    QUEUE_TOKEN_KEYS: 'k1:a queue secret of more than 32 characters',
  });
  expect(jobs.admissionTickMs + ADMISSION_MS_MAX).toBeLessThanOrEqual(REFILL_MS);
});
