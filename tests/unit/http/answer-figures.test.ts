import { describe, expect, it } from 'vitest';
import { countAnswers } from '#adapters/http/logging/answer-figures.ts';

describe('the figures of answers', () => {
  it('are count, outcomes and duration, to two digits', () => {
    const answers = countAnswers();
    for (let milliseconds = 1; milliseconds <= 98; milliseconds++) answers.add(200, milliseconds);
    answers.add(429, 990);
    answers.add(503, 990);
    const figures = answers.take();
    expect(figures).toMatchObject({ count: 100, byStatus: { 200: 98, 429: 1, 503: 1 } });
    expect((figures?.p50Milliseconds ?? 0) / 50).toBeCloseTo(1, 1);
    expect((figures?.p99Milliseconds ?? 0) / 990).toBeCloseTo(1, 1);
  });

  it('include very short and very long durations', () => {
    const answers = countAnswers();
    answers.add(200, 0);
    answers.add(200, 3_600_000);
    expect(answers.take()).toMatchObject({ count: 2 });
  });

  it('start again once they are taken', () => {
    const answers = countAnswers();
    expect(answers.take()).toBeUndefined();
    answers.add(200, 500);
    answers.take();
    expect(answers.take()).toBeUndefined();
    answers.add(200, 1);
    expect(answers.take()?.p99Milliseconds).toBeLessThan(2);
  });
});
