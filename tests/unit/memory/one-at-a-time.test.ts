import { describe, expect, it } from 'vitest';
import { oneAtATime } from '#adapters/memory/one-at-a-time.ts';

/** Work that ends when it is told to. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = () => {
    log.push(name);
    return promise;
  };
  return { run, end: () => resolve(name), fail: () => reject(new Error(name)) };
}
const refused = () => new Error('too many');
const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('work of one key', () => {
  it('runs one after the other, in the order of the calls, also after a failure', async () => {
    const [inOrder, log] = [oneAtATime(10, refused), [] as string[]];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => work(log, name)) as [Work, Work, Work];
    const outcomes = [a, b, c].map(({ run }) => inOrder('key', run).catch(() => 'failed'));
    await soon();
    expect(log).toEqual(['a']);
    a.fail();
    await soon();
    expect(log).toEqual(['a', 'b']);
    b.end();
    c.end();
    expect(await Promise.all(outcomes)).toEqual(['failed', 'b', 'c']);
  });

  it('does not wait for work of another key', async () => {
    const [inOrder, log] = [oneAtATime(10, refused), [] as string[]];
    const [a, b] = [work(log, 'a'), work(log, 'b')];
    const outcomes = [inOrder('one', a.run), inOrder('other', b.run)];
    await soon();
    expect(log).toEqual(['a', 'b']);
    a.end();
    b.end();
    await Promise.all(outcomes);
  });

  it('is refused beyond the limit, and accepted again afterwards', async () => {
    const [inOrder, log] = [oneAtATime(1, refused), [] as string[]];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(log, name)) as [Work, Work, Work, Work];
    const accepted = [inOrder('key', a.run), inOrder('key', b.run)];
    await expect(inOrder('key', c.run)).rejects.toThrow('too many');
    for (const { end } of [a, b, d]) end();
    await Promise.all(accepted);
    expect(await inOrder('key', d.run)).toBe('d');
    expect(log).toEqual(['a', 'b', 'd']);
  });
});

type Work = ReturnType<typeof work>;
