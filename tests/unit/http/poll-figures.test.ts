import { describe, expect, it } from 'vitest';
import { countPolls } from '#adapters/http/poll-figures.ts';

describe('the figures of polls', () => {
  it('are how many, how they ended, and how long they took, to two digits', () => {
    const polls = countPolls();
    for (let milliseconds = 1; milliseconds <= 98; milliseconds++) polls.add(200, milliseconds);
    polls.add(429, 990);
    polls.add(503, 990);
    const figures = polls.take();
    expect(figures).toMatchObject({ count: 100, byStatus: { 200: 98, 429: 1, 503: 1 } });
    expect((figures?.p50Milliseconds ?? 0) / 50).toBeCloseTo(1, 1);
    expect((figures?.p99Milliseconds ?? 0) / 990).toBeCloseTo(1, 1);
  });

  it('hold what took no time and what took too long', () => {
    const polls = countPolls();
    polls.add(200, 0);
    polls.add(200, 3_600_000);
    expect(polls.take()).toMatchObject({ count: 2 });
  });

  it('begin anew once they are taken', () => {
    const polls = countPolls();
    expect(polls.take()).toBeUndefined();
    polls.add(200, 500);
    polls.take();
    expect(polls.take()).toBeUndefined();
    polls.add(200, 1);
    expect(polls.take()?.p99Milliseconds).toBeLessThan(2);
  });
});
