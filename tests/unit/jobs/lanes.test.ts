import { describe, expect, it } from 'vitest';
import { lanes } from '#adapters/jobs/lanes.ts';
import { until } from '#tests/support/until.ts';

/** Work that a test ends when it likes, and who is at it. */
function workshop() {
  const begun: string[] = [];
  const ends = new Map<string, (found: number) => void>();
  const work = (key: string) => {
    begun.push(key);
    const { promise, resolve } = Promise.withResolvers<number>();
    ends.set(key, resolve);
    return promise;
  };
  return { begun, work, end: (key: string, found = 0) => ends.get(key)?.(found) };
}

describe('lanes', () => {
  it('do not wait for each other', () => {
    const { begun, work } = workshop();
    lanes(work, 9).open(['slow', 'quick']);
    expect(begun).toEqual(['slow', 'quick']);
  });

  it('are one per key, however often it is opened', async () => {
    const { begun, work, end } = workshop();
    const { open } = lanes(work, 9);
    open(['one']);
    open(['one', 'other']);
    expect(begun).toEqual(['one', 'other']);
    end('one');
    await until('the lane is free', () => {
      open(['one']);
      return begun.length === 3;
    });
  });

  it('continue as long as there is work', async () => {
    const { begun, work, end } = workshop();
    lanes(work, 9).open(['one']);
    end('one', 5);
    await until('the lane looks again', () => begun.length === 2);
    end('one', 0);
    await Promise.resolve();
    expect(begun).toEqual(['one', 'one']);
  });

  it('are limited; a key without a lane gets the next free one', async () => {
    const { begun, work, end } = workshop();
    const { open } = lanes(work, 1);
    open(['one', 'other']);
    expect(begun).toEqual(['one']);
    end('one');
    await until('the other one has its lane', () => {
      open(['other']);
      return begun.includes('other');
    });
  });

  it('report a failure once, and can be opened again', async () => {
    let tries = 0;
    const { open } = lanes(async () => {
      tries += 1;
      throw new Error('away');
    }, 9);
    open(['one']);
    await until('the failure is reported', async () => {
      try {
        open([]);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ message: 'away' });
        return true;
      }
    });
    expect(() => open([])).not.toThrow();
    open(['one']);
    expect(tries).toBe(2);
  });

  it('stop once the work under way has ended, and start no more', async () => {
    const { begun, work, end } = workshop();
    const { open, stop } = lanes(work, 9);
    open(['one']);
    let stopped = false;
    const stopping = stop().then(() => {
      stopped = true;
    });
    open(['other']);
    await Promise.resolve();
    expect(stopped).toBe(false);
    end('one', 5);
    await stopping;
    expect(begun).toEqual(['one']);
  });
});
