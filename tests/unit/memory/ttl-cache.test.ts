import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ttlCache } from '#adapters/memory/ttl-cache.ts';

const TTL_MS = 1_000;
const PATIENCE_MS = 250;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const passes = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

/** A cache of a store that changes with every read, and that may be away. */
function cached(entriesMax = 10) {
  const reads: string[] = [];
  const store = { away: false };
  const read = ttlCache(
    async (key) => {
      reads.push(key);
      const version = reads.length;
      await Promise.resolve();
      if (store.away) throw new Error('the store is away');
      return `${key}${version}`;
    },
    { ttlMs: TTL_MS, patienceMs: PATIENCE_MS, entriesMax },
  );
  return { read, reads, store };
}

/** A cache of a store whose reads end when they are told to. */
function hanging() {
  const reads: { answer(value: string | undefined): void; fail(error: Error): void }[] = [];
  const read = ttlCache(
    () => {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      reads.push({ answer: resolve, fail: reject });
      return promise;
    },
    { ttlMs: TTL_MS, patienceMs: PATIENCE_MS, entriesMax: 10 },
  );
  return { read, reads };
}

describe('a briefly cached value', () => {
  it('is read once, then answered from memory', async () => {
    const { read, reads } = cached();
    expect([await read('a'), await read('a')]).toEqual(['a1', 'a1']);
    passes(TTL_MS - 1);
    expect(await read('a')).toBe('a1');
    expect(reads).toEqual(['a']);
  });

  it('is read again once it is evicted, also during a read', async () => {
    const { read, reads } = cached();
    await read('b');
    const underWay = read('a');
    read.forget('a');
    expect(await Promise.all([underWay, read('a'), read('a'), read('b')])).toEqual(['a2', 'a3', 'a3', 'b1']);
    expect(reads).toEqual(['b', 'a', 'a']);
  });

  it('is never older than its TTL', async () => {
    const { read } = cached();
    await read('a');
    passes(TTL_MS);
    expect(await read('a')).toBe('a2');
  });

  it('is as old as the start of its read, not the end', async () => {
    const { read } = cached();
    const slow = read('a');
    passes(TTL_MS);
    await slow;
    expect(await read('a')).toBe('a2');
  });

  it('is read once for all callers during the read', async () => {
    const { read, reads } = cached();
    const crowd = await Promise.all(Array.from({ length: 100 }, () => read('a')));
    expect(new Set(crowd)).toEqual(new Set(['a1']));
    expect(reads).toEqual(['a']);
  });

  it('is separate per key', async () => {
    const { read } = cached();
    expect([await read('a'), await read('b'), await read('a')]).toEqual(['a1', 'b2', 'a1']);
  });

  it('replaces a failing read for another TTL, and is then read again', async () => {
    const { read, reads, store } = cached();
    await read('a');
    passes(TTL_MS);
    store.away = true;
    expect([await read('a'), await read('a')]).toEqual(['a1', 'a1']);
    store.away = false;
    passes(TTL_MS - 1);
    expect(await read('a')).toBe('a1');
    expect(reads).toHaveLength(2);
    passes(1);
    expect(await read('a')).toBe('a3');
  });

  it('does not exist when the first read fails: the failure propagates and is not cached', async () => {
    const { read, store } = cached();
    store.away = true;
    await expect(read('a')).rejects.toThrow('the store is away');
    store.away = false;
    expect(await read('a')).toBe('a2');
  });

  it('replaces a hanging read after a while, for later callers at once', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { read, reads } = hanging();
    const first = read('a');
    reads[0]?.answer('old');
    expect(await first).toBe('old');
    passes(TTL_MS);
    const answers: (string | undefined)[] = [];
    const waiting = read('a').then((value) => answers.push(value));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(answers).toEqual(['old']);
    expect(await read('a')).toBe('old');
    passes(100 * TTL_MS);
    expect(await read('a')).toBe('old');
    expect(reads).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not read a second time while a read hangs, and is the new value once that has ended', async () => {
    const { read, reads } = hanging();
    const crowd = Array.from({ length: 100 }, () => read('a'));
    passes(100 * TTL_MS);
    crowd.push(read('a'));
    expect(reads).toHaveLength(1);
    reads[0]?.answer('first');
    expect(new Set(await Promise.all(crowd))).toEqual(new Set(['first']));

    const newer = read('a');
    reads[1]?.answer('second');
    expect([await newer, await read('a')]).toEqual(['second', 'second']);
    expect(reads).toHaveLength(2);
  });

  it('replaces a hanging read that fails at last, and is read again', async () => {
    const { read, reads } = hanging();
    const first = read('a');
    reads[0]?.answer('old');
    await first;
    passes(TTL_MS);
    const waiting = read('a');
    reads[1]?.fail(new Error('gave up'));
    expect(await waiting).toBe('old');
    passes(TTL_MS);
    const next = read('a');
    reads[2]?.answer('new');
    expect(await next).toBe('new');
  });

  it('excludes an absence: that is looked up each time, also after a value', async () => {
    const { read, reads } = hanging();
    for (const found of [undefined, undefined, 'there', undefined, undefined, 'back']) {
      const answer = read('a');
      reads.at(-1)?.answer(found);
      expect(await answer).toBe(found);
      passes(TTL_MS);
    }
    expect(reads).toHaveLength(6);
  });

  it('is bounded: the entry read longest ago is evicted', async () => {
    const { read, reads } = cached(2);
    await read('a');
    await read('b');
    passes(TTL_MS);
    await read('a');
    await read('c');
    reads.length = 0;
    await read('a');
    await read('c');
    expect(reads).toEqual([]);
    await read('b');
    expect(reads).toEqual(['b']);
  });

  it('is kept for less time if the value says so, an absence, too, and never for more', async () => {
    const values = [undefined, 100, 10_000, 1];
    let reads = 0;
    const read = ttlCache(async () => values[reads++], {
      ttlMs: TTL_MS,
      entriesMax: 10,
      ttlMsOf: (value) => value ?? 50,
    });
    const answers: unknown[] = [];
    for (const passing of [49, 1, 99, 1, TTL_MS - 1, 1]) {
      answers.push(await read('a'));
      passes(passing);
    }
    expect(answers).toEqual([undefined, undefined, 100, 100, 10_000, 10_000]);
    expect(await read('a')).toBe(1);
  });

  it('replaces nothing without patience: a failure propagates', async () => {
    const answers = [async () => 'old', () => Promise.reject(new Error('away'))];
    const read = ttlCache(async () => (await answers.shift())?.(), { ttlMs: TTL_MS, entriesMax: 10 });
    await read('a');
    passes(TTL_MS);
    await expect(read('a')).rejects.toThrow('away');
  });
});
