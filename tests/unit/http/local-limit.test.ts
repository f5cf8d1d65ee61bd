import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENTS_MAX, countPerMinute } from '#adapters/http/guards/local-limit.ts';

const MAX = 3;

function counter() {
  let now = 0;
  const count = countPerMinute(() => now);
  return {
    ask: (client = 'a', max = MAX) => count(client, max),
    wait(milliseconds: number) {
      now += milliseconds;
    },
  };
}

describe('the limit of an instance', () => {
  it('passes a client up to the limit within a minute, then returns a retry time', () => {
    const { ask, wait } = counter();
    expect([ask(), ask(), ask()]).toEqual([0, 0, 0]);
    expect(ask()).toBe(60);
    wait(500);
    expect(ask()).toBe(60);
    wait(59_499);
    expect(ask()).toBe(1);
    wait(1);
    expect(ask()).toBe(0);
  });

  it('counts each client separately', () => {
    const { ask } = counter();
    for (let times = 0; times < MAX; times++) ask();
    expect([ask('a') > 0, ask('b')]).toEqual([true, 0]);
  });

  it('follows the limit of this client', () => {
    const { ask } = counter();
    expect(Array.from({ length: 7 }, () => ask('a', 5)).filter((seconds) => seconds === 0)).toHaveLength(5);
  });

  it('passes at most twice the limit in any minute, and every client that waits as told', () => {
    const steps = fc.array(fc.nat(20_000), { maxLength: 100 });
    fc.assert(
      fc.property(steps, (pauses) => {
        const { ask, wait } = counter();
        let now = 0;
        const entered: number[] = [];
        for (const pause of pauses) {
          wait(pause);
          now += pause;
          const seconds = ask();
          if (seconds === 0) entered.push(now);
          else expect(seconds > 0 && seconds <= 60).toBe(true);
        }
        for (const from of entered) {
          expect(entered.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(2 * MAX);
        }
      }),
    );
    const { ask, wait } = counter();
    for (let round = 0; round < 20; round++) {
      const seconds = ask();
      wait(seconds * 1_000);
      if (seconds > 0) expect(ask()).toBe(0);
    }
  });

  it('does not count clients beyond its capacity, and refuses none of them', () => {
    const { ask, wait } = counter();
    for (let client = 0; client < CLIENTS_MAX; client++) ask(String(client));
    const again = () => [ask('0', 1) > 0, ask('late', 1), ask('late', 1)];
    expect(again()).toEqual([true, 0, 0]);
    wait(60_000);
    expect([ask('late', 1), ask('late', 1) > 0]).toEqual([0, true]);
  });
});
