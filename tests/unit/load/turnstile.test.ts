import { expect, test } from 'vitest';
import { turnstile } from '#tests/support/client/turnstile.ts';

test('lets so many pass at once, in the order in which they came, also after one has failed', async () => {
  const { pass } = turnstile(2);
  const begun: number[] = [];
  const ends: PromiseWithResolvers<number>[] = [];
  const passing = [0, 1, 2, 3].map((number) =>
    pass(() => {
      begun.push(number);
      ends[number] = Promise.withResolvers();
      return ends[number].promise;
    }),
  );
  const outcomes = Promise.allSettled(passing);

  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error('turned away'));
  await passing[1]?.catch(() => {});
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.resolve(10);
  ends[2]?.resolve(12);
  await passing[2];
  ends[3]?.resolve(13);

  expect(await outcomes).toEqual([
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: new Error('turned away') },
    { status: 'fulfilled', value: 12 },
    { status: 'fulfilled', value: 13 },
  ]);
  await expect(pass(async () => 14)).resolves.toBe(14);
});
