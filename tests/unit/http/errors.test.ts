import { describe, expect, it } from 'vitest';
import { Refusal, refusalBecause } from '#domain/errors.ts';

describe('a refusal', () => {
  it('does not look where it comes from, and leaves other errors theirs', () => {
    expect(new Refusal('unauthenticated').stack).toBe('Refusal: unauthenticated');
    expect(new Error('ours').stack).toContain('errors.test.ts');
  });

  it('that is a store’s fault says where, and of what', () => {
    const cause = new Error('hung up');
    const refusal = refusalBecause(cause, 'unavailable', 1);
    expect(refusal).toMatchObject({ code: 'unavailable', facts: { retryAfterSeconds: 1 }, cause });
    expect(refusal.stack).toContain('errors.test.ts');
  });
});
