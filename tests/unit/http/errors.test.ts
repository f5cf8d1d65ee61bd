import { describe, expect, it } from 'vitest';
import { Refusal, refusalBecause } from '#domain/errors.ts';

describe('a refusal', () => {
  it('captures no stack, and leaves other errors theirs', () => {
    expect(new Refusal('unauthenticated').stack).toBe('Refusal: unauthenticated');
    expect(new Error('ours').stack).toContain('errors.test.ts');
  });

  it('caused by a store has a stack and its cause', () => {
    const cause = new Error('hung up');
    const refusal = refusalBecause(cause, 'unavailable', 1);
    expect(refusal).toMatchObject({ code: 'unavailable', facts: { retryAfterSeconds: 1 }, cause });
    expect(refusal.stack).toContain('errors.test.ts');
  });
});
