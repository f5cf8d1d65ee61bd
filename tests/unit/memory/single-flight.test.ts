import { setImmediate as turnEnds } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { singleFlight } from '#adapters/memory/single-flight.ts';

/** A store that changes with every read, whose reads end when they are told to, and who reads it. */
function store() {
  const reads: { readonly key: string; readonly finish: () => void; readonly fail: (error: Error) => void }[] = [];
  let underWay = 0;
  let most = 0;
  const read = singleFlight((key) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const number = reads.push({ key, finish: () => resolve(number), fail: reject });
    underWay += 1;
    most = Math.max(most, underWay);
    return promise.finally(() => {
      underWay -= 1;
    });
  });
  return { read, reads, most: () => most };
}

/** Lets everything happen that can happen without anybody finishing a read. */
async function settled(): Promise<void> {
  await turnEnds();
  await turnEnds();
}

describe('shared reads', () => {
  it('begin at the end of a turn of the event loop, one for all its callers', async () => {
    const { read, reads } = store();
    const crowd = Array.from({ length: 100 }, () => read('a'));
    expect(reads).toHaveLength(0);
    await settled();
    reads[0]?.finish();
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([1]));
    expect(reads).toHaveLength(1);
  });

  it('are never joined by a caller after they began', async () => {
    const { read, reads } = store();
    const first = read('a');
    await settled();
    const late = read('a');
    reads[0]?.finish();
    expect(await first).toBe(1);
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.finish();
    expect(await late).toBe(2);
  });

  it('serve all callers during a read by one next read', async () => {
    const { read, reads } = store();
    const first = read('a');
    await settled();
    const crowd = Array.from({ length: 100 }, () => read('a'));
    reads[0]?.finish();
    await first;
    await settled();
    reads[1]?.finish();
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([2]));
    expect(reads).toHaveLength(2);
  });

  it('are separate per key', async () => {
    const { read, reads } = store();
    read('a');
    read('b');
    await settled();
    expect(reads.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('fail for their callers, and for no others', async () => {
    const { read, reads } = store();
    const failure = new Error('the read failed');
    const first = read('a');
    await settled();
    const late = read('a');
    reads[0]?.fail(failure);
    await expect(first).rejects.toBe(failure);
    await settled();
    reads[1]?.finish();
    expect(await late).toBe(2);
  });

  it('are dropped once they have ended: the next caller reads again', async () => {
    const { read, reads } = store();
    const first = read('a');
    await settled();
    reads[0]?.finish();
    await first;
    read('a');
    await settled();
    expect(reads).toHaveLength(2);
  });

  it('run one at a time, and each begins after all its callers have called', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(12), { minLength: 1, maxLength: 12 }), async (delays) => {
        const { read, reads, most } = store();
        // A read under way, and callers who come some steps of the microtask queue after it was finished.
        const first = read('a');
        await settled();
        reads[0]?.finish();
        const callers = delays.map(async (steps) => {
          for (let step = 0; step < steps; step++) await Promise.resolve();
          const begun = reads.length;
          return { begun, number: await read('a') };
        });
        while ((await Promise.race([Promise.all(callers), settled()])) === undefined) {
          for (const { finish } of reads) finish();
        }
        for (const { begun, number } of await Promise.all(callers)) expect(number).toBeGreaterThan(begun);
        expect(most()).toBe(1);
        await first;
      }),
    );
  });
});
