import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handOut } from '#adapters/http/queue/hand-out.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function counted(fails = false) {
  let made = 0;
  const textOf = handOut(
    async (key: string) => {
      made += 1;
      if (fails && made === 1) throw new Error('not now');
      return `${key} ${made}`;
    },
    { forMs: 250, textsMax: 2 },
  );
  return { textOf, made: () => made };
}

describe('a text that is handed out', () => {
  it('is made once for all who ask within its time, and anew afterwards', async () => {
    const { textOf } = counted();
    expect(await Promise.all([textOf('a'), textOf('a')])).toEqual(['a 1', 'a 1']);
    vi.advanceTimersByTime(249);
    expect(await textOf('a')).toBe('a 1');
    vi.advanceTimersByTime(1);
    expect(await textOf('a')).toBe('a 2');
  });

  it('that could not be made is tried again by the next who asks', async () => {
    const { textOf } = counted(true);
    await expect(textOf('a')).rejects.toThrow('not now');
    expect(await textOf('a')).toBe('a 2');
  });

  it('is for its key only, and of many keys the oldest is forgotten', async () => {
    const { textOf, made } = counted();
    expect([await textOf('a'), await textOf('b')]).toEqual(['a 1', 'b 2']);
    await textOf('c');
    expect(await textOf('b')).toBe('b 2');
    expect(await textOf('a')).toBe('a 4');
    expect(made()).toBe(4);
  });
});
