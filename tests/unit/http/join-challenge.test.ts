import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type JoinChallenges, type Joining, joinChallenges } from '#adapters/http/guards/join-challenge.ts';
import { concertId, userId } from '#domain/ids.ts';
import { encoded, solutionOf } from '#tests/support/solve-challenge.ts';

const SECRET = 'a secret of the instances, for a test';
const EASY = { numberMin: 50, numberMax: 50 };
const NOW = 1_795_165_900_000;
const joining: Joining = {
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
};
const otherConcert = { ...joining, concertId: concertId('01939c5e-0000-7000-8000-000000000002') };
const otherUser = { ...joining, userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e50') };

/** What ALTCHA's own library (altcha-lib 2.8.0, `altcha-lib/v1`) made and solved with this secret's key. */
const OF_ALTCHA =
  'eyJhbGdvcml0aG0iOiJTSEEtMjU2IiwiY2hhbGxlbmdlIjoiNzE4ZmYwZDBhNTRhOTlkNDg4NTM2NmJiOGEzNDdmYjFkMGNmNDZhMTIwY2YyMjVkMTI2' +
  'MzAzYTc0ZWExNGE1NCIsInNhbHQiOiI5ZjFhYjhiNmExZDdjMDJlNTFmM2FhOTQ/Y29uY2VydD0wMTkzOWM1ZS0wMDAwLTcwMDAtODAwMC0wMDAwMDAw' +
  'MDAwMDEmdXNlcj0wMTkzOWM1ZS03YTNiLTdjNDEtOWYwZS0zZDViOGExYzJlNGYmZXhwaXJlcz0xNzk1MTY1OTIwJiIsInNpZ25hdHVyZSI6IjNkYjA4' +
  'ZWJjMDQ2ZDViZTdkMmJiMjg3OThlZTRkNGI0NTc0YWY2MGNjZWUyNzFmNDI2Yjc4OWIwNjZkZjY0NDQiLCJudW1iZXIiOjc0MiwidG9vayI6MzJ9';

function clocked(settings = EASY, secret = SECRET) {
  let now = NOW;
  const challenges = joinChallenges(secret, settings, () => now);
  return {
    ...challenges,
    wait(seconds: number) {
      now += seconds * 1_000;
    },
    difficulty: () => challenges.issue(joining).maxnumber,
  };
}

type Solved = { readonly number: number; readonly salt: string; readonly signature: string };

function solvedByTwoDigits(issue: JoinChallenges['issue']): Solved {
  const solved = JSON.parse(atob(solutionOf(issue(joining)))) as Solved;
  return solved.number < 10 ? solvedByTwoDigits(issue) : solved;
}

describe('a challenge before joining', () => {
  it('is passed by its solution, at every instance with the same secret, as often as this user asks', () => {
    const [here, elsewhere] = [clocked(), clocked()];
    const solution = solutionOf(here.issue(joining));
    for (const instance of [here, elsewhere, here]) expect(instance.unsolved(solution, joining)).toBeUndefined();
  });

  it("has ALTCHA's format: a solution that its own library made passes", () => {
    expect(clocked().unsolved(OF_ALTCHA, joining)).toBeUndefined();
    expect(clocked().issue(joining)).toEqual({
      algorithm: 'SHA-256',
      challenge: expect.stringMatching(/^[\da-f]{64}$/),
      maxnumber: 50,
      salt: expect.stringMatching(/^[\da-f]{24}\?concert=[\da-f-]{36}&user=[\da-f-]{36}&expires=\d{10}&$/),
      signature: expect.stringMatching(/^[\da-f]{64}$/),
    });
  });

  it('is solved by a number up to its largest one, the bounds included', () => {
    const { issue } = clocked({ numberMin: 1, numberMax: 1 });
    const numbers = Array.from({ length: 100 }, () => {
      const { salt, challenge } = issue(joining);
      return [0, 1].find((number) => hash('sha256', `${salt}${number}`) === challenge);
    });
    expect(new Set(numbers)).toEqual(new Set([0, 1]));
  });

  it('is required: no solution, and none at all that can be read, is refused', () => {
    const { unsolved } = clocked();
    expect([unsolved(undefined, joining), unsolved('', joining)]).toEqual(['missing', 'missing']);
    const unreadable = ['7', 'no base64 \xff', encoded([]), encoded({}), 'A'.repeat(10_000), ['a', 'b'], btoa('null')];
    for (const solution of unreadable) expect(unsolved(solution, joining)).toBe('invalid');
  });

  it('is of one user and one concert: nobody else can use its solution', () => {
    const { issue, unsolved } = clocked();
    const solution = solutionOf(issue(joining));
    expect([unsolved(solution, otherUser), unsolved(solution, otherConcert)]).toEqual(['invalid', 'invalid']);
  });

  it('expires after two minutes', () => {
    const { issue, unsolved, wait } = clocked();
    const solution = solutionOf(issue(joining));
    wait(119);
    expect(unsolved(solution, joining)).toBeUndefined();
    wait(1);
    expect(unsolved(solution, joining)).toBe('expired');
  });

  it('cannot be altered or made up', () => {
    const { issue, unsolved } = clocked();
    const solved = solvedByTwoDigits(issue);
    const longer = solved.salt.replace(/expires=\d+/, 'expires=1999999999');
    const [tens = '', ones] = `${solved.number}`;
    const altered: readonly object[] = [
      { number: solved.number + 1 },
      { number: -1 },
      { number: String(solved.number) },
      { number: undefined },
      { salt: longer },
      { salt: longer, challenge: hash('sha256', `${longer}${solved.number}`) },
      // Hashed, these are the same text.
      { salt: `${solved.salt}${tens}`, number: Number(ones) },
      { algorithm: 'SHA-1' },
      { signature: solved.signature.replace(/^./, (first) => (first === '0' ? '1' : '0')) },
      { signature: '' },
    ];
    for (const change of altered) {
      expect(unsolved(encoded({ ...solved, ...change }), joining), JSON.stringify(change)).toBe('invalid');
    }
    const foreign = clocked(EASY, 'the secret of somebody else');
    expect(unsolved(solutionOf(foreign.issue(joining)), joining)).toBe('invalid');
  });
});

describe('the difficulty', () => {
  const BOUNDS = { numberMin: 50_000, numberMax: 250_000 };

  /** Joins at a steady rate, until the rate is known. */
  function crowd(perSecond: number) {
    const challenges = clocked(BOUNDS);
    for (let second = 0; second < 60; second++) {
      for (let join = 0; join < perSecond; join++) challenges.noteJoin();
      challenges.wait(1);
    }
    return challenges;
  }

  it('is the smallest without a crowd', () => {
    expect([clocked(BOUNDS).difficulty(), crowd(1).difficulty()]).toEqual([50_000, 50_000]);
  });

  it('follows the joins per second, 5,000 for each, and stays below the largest', () => {
    const rushing = crowd(30).difficulty();
    expect(rushing).toBeGreaterThan(135_000);
    expect(rushing).toBeLessThan(165_000);
    expect(crowd(1_000).difficulty()).toBe(250_000);
  });

  it('falls again once the rush is over, also if the clock steps back', () => {
    const challenges = crowd(1_000);
    challenges.wait(-3_600);
    expect(challenges.difficulty()).toBe(250_000);
    challenges.wait(120);
    expect(challenges.difficulty()).toBe(50_000);
  });
});
