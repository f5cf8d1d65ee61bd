import { describe, expect, it } from 'vitest';
import { guarded } from '#adapters/postgres/client/failures.ts';

const failure = (code: string) => Object.assign(new Error(`failed with ${code}`), { code });

/** What Prisma makes of a failure of its driver. */
const ofPrisma = (code: string, cause: { readonly kind: string; readonly originalCode?: string }) =>
  Object.assign(failure(code), { name: 'PrismaClientKnownRequestError', meta: { driverAdapterError: { cause } } });

/** Work that fails as told, one failure after the other, and then succeeds. */
function failing(...failures: readonly unknown[]) {
  let tries = 0;
  const outcome = guarded(async () => {
    const error = failures[tries++];
    if (error !== undefined) throw error;
    return 'done';
  });
  return outcome.then(
    (value) => ({ value, tries }),
    (error: unknown) => ({ error, tries }),
  );
}

describe('a statement that Postgres undid', () => {
  it.each(['40P01', '40001'])('is retried, at most three times in all: %s', async (code) => {
    expect(await failing(failure(code))).toEqual({ value: 'done', tries: 2 });
    expect(await failing(failure(code), failure(code))).toEqual({ value: 'done', tries: 3 });
    const thrice = await failing(failure(code), failure(code), failure(code));
    expect(thrice).toMatchObject({ error: { code: 'busy', facts: { retryAfterSeconds: 1 } }, tries: 3 });
  });
});

describe('a statement that failed otherwise', () => {
  it.each([
    ...['55P03', '57014', '53300'].map((code) => ['busy', failure(code)] as const),
    ['busy', new Error('timeout exceeded when trying to connect')] as const,
    ...['ECONNREFUSED', 'ECONNRESET', '08006', '57P01', '57P03'].map((code) => ['unavailable', failure(code)] as const),
    ['unavailable', new Error('Connection terminated unexpectedly')] as const,
    ['unavailable', new Error('Query read timeout')] as const,
    ['unavailable', new Error('of Prisma', { cause: failure('ECONNREFUSED') })] as const,
    ['unavailable', ofPrisma('P1017', { kind: 'ConnectionClosed' })] as const,
    ['unavailable', ofPrisma('P1008', { kind: 'SocketTimeout' })] as const,
    ['unavailable', ofPrisma('P2039', { kind: 'postgres', originalCode: '57P01' })] as const,
    ['busy', ofPrisma('P2037', { kind: 'TooManyConnections', originalCode: '53300' })] as const,
  ])('is tried once and refused as %s, with its cause: %s', async (code, error) => {
    expect(await failing(error)).toMatchObject({ error: { name: 'Refusal', code, cause: error }, tries: 1 });
  });

  it.each([
    failure('23505'),
    failure('42601'),
    ofPrisma('P2002', { kind: 'UniqueConstraintViolation', originalCode: '23505' }),
    new RangeError('ours'),
    'not even an error',
  ])('propagates untouched if it is a bug: %s', async (error) => {
    expect(await failing(error)).toEqual({ error, tries: 1 });
  });
});
