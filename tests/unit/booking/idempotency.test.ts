import fc from 'fast-check';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyGuard, idempotencyKeyOf } from '#adapters/http/guards/idempotency.ts';
import { decorateRequests } from '#adapters/http/guards/request-data.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';

const user = userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f');

const api = Fastify();
api.setErrorHandler(answerProblem);
decorateRequests(api);
for (const url of ['/payments', '/reservations']) {
  api.post(url, guarded([idempotencyKeyGuard], { schema: {} }), async (request) => {
    const { concert } = request.headers;
    if (typeof concert === 'string') request.queueEntry = entryFor(concert);
    request.userId = user;
    const { userId, key, fingerprint } = idempotencyKeyOf(request);
    return { userId, key, fingerprint };
  });
}

/** The payload of a queue token for this concert. */
function entryFor(concert: string): QueueEntry {
  return { userId: user, concertId: concertId(concert), sequence: 1, epoch: 'AAAAAAAA', joinedAt: new Date(0) };
}

/** What becomes of a command with this header. */
async function send(key: string | undefined, payload: object = { seat: 1 }, url = '/payments', concert = '') {
  const headers = { ...(key === undefined ? {} : { 'idempotency-key': key }), ...(concert === '' ? {} : { concert }) };
  const answer = await api.inject({ method: 'POST', url, headers, payload });
  return answer.json<IdempotencyKey & { code?: string }>();
}

describe('an Idempotency-Key', () => {
  it.each([
    ['bare', 'order-7f3a', 'order-7f3a'],
    ['quoted', '"order-7f3a"', 'order-7f3a'],
    ['one character', 'x', 'x'],
    ['255 characters', 'x'.repeat(255), 'x'.repeat(255)],
    ['255 characters in quotes', `"${'x'.repeat(255)}"`, 'x'.repeat(255)],
    ['with a quote inside', 'a"b', 'a"b'],
  ])('is read: %s', async (_, header, key) => {
    expect(await send(header)).toMatchObject({ userId: user, key });
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['empty in quotes', '""'],
  ])('is missing when it is %s', async (_, header) => {
    expect(await send(header)).toMatchObject({ code: 'idempotency-key-missing' });
  });

  it('is refused beyond 255 characters', async () => {
    expect(await send('x'.repeat(256))).toMatchObject({
      code: 'validation-failed',
      errors: [{ path: 'headers/idempotency-key' }],
    });
  });

  it('is the same key, quoted or bare', async () => {
    const characters = fc.stringMatching(/^[\x21\x23-\x7e]{1,40}$/);
    await fc.assert(
      fc.asyncProperty(characters, async (key) => {
        expect(await send(`"${key}"`)).toEqual(await send(key));
      }),
      { numRuns: 30 },
    );
  });
});

describe('the fingerprint of a command', () => {
  it('is the same for the same call and body, however often', async () => {
    const [first, second] = [await send('a'), await send('b')];
    expect(first.fingerprint).toMatch(/^[\w-]{43}$/);
    expect(second.fingerprint).toBe(first.fingerprint);
  });

  it('is another for another body or another call', async () => {
    const all = [await send('a'), await send('a', { seat: 2 }), await send('a', { seat: 1 }, '/reservations')];
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(3);
  });

  it('is another for another concert, which the queue token alone names', async () => {
    const [one, other] = ['01939c5e-0000-7c41-9f0e-3d5b8a1c2e4f', '01939c5e-0001-7c41-9f0e-3d5b8a1c2e4f'];
    const reserve = async (concert?: string) => (await send('a', { seat: 1 }, '/reservations', concert)).fingerprint;
    expect(await reserve(one)).toBe(await reserve(one));
    expect(new Set([await reserve(), await reserve(one), await reserve(other)]).size).toBe(3);
  });
});
