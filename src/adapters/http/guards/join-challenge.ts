import { createHmac, hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ConcertId, UserId } from '#domain/ids.ts';

export type JoinChallengeSettings = {
  /** The bounds of `maxnumber`. A solution takes half as many hashes on average. */
  readonly numberMin: number;
  readonly numberMax: number;
};

/** As ALTCHA's widgets and libraries of versions 1 and 2 have it. */
export type JoinChallenge = {
  readonly algorithm: typeof ALGORITHM;
  /** SHA-256 of the salt and the secret number, in hexadecimal. */
  readonly challenge: string;
  /** The secret number is not larger. */
  readonly maxnumber: number;
  readonly salt: string;
  readonly signature: string;
};

/** Whose challenge it is. Nobody else can use its solution, so no store has to remember which were used. */
export type Joining = { readonly concertId: ConcertId; readonly userId: UserId };
export type Unsolved = 'missing' | 'invalid' | 'expired';

export type JoinChallenges = {
  issue(joining: Joining): JoinChallenge;
  /** Why this is no valid solution of a challenge that was issued for this; undefined if it is one. */
  unsolved(solution: unknown, joining: Joining): Unsolved | undefined;
  /** To be called for each new entry: the more of them, the harder the next challenges. */
  noteJoin(): void;
};

const ALGORITHM = 'SHA-256';
/** Limits how long before an opening solutions can be collected. Longer than a slow phone needs. */
const LIFE_SECONDS = 120;
/** 10 joins a second at an instance make a `maxnumber` of 50,000. */
const NUMBER_PER_JOIN_A_SECOND = 5_000;
const RATE_WINDOW_MS = 10_000;
const SECOND_MS = 1_000;
const SALT_BYTES = 12;
/** Ends in `&`: without it, digits of the number could be read as digits of the expiry. */
const SALT = /^[\da-f]{24}\?concert=([\da-f-]{36})&user=([\da-f-]{36})&expires=(\d{1,12})&$/;
const SOLUTION_LENGTH_MAX = 2_048;

const solutions = z.object({
  algorithm: z.literal(ALGORITHM),
  challenge: z.string(),
  number: z.int().min(0),
  salt: z.string(),
  signature: z.string(),
});

/**
 * Proof of work on joining, in ALTCHA's format (decision 0042). Stateless: the salt names concert, user and expiry, and is
 * part of what is hashed; the signature proves that we made the challenge.
 */
export function joinChallenges(
  secret: string,
  { numberMin, numberMax }: JoinChallengeSettings,
  now: () => number = Date.now,
): JoinChallenges {
  // A key of its own: a signature of one kind is none of another.
  const key = createHmac('sha256', secret).update('join challenge').digest('hex');
  const sign = (challenge: string) => createHmac('sha256', key).update(challenge).digest('hex');
  const joins = smoothedRate(RATE_WINDOW_MS, now);

  return {
    issue({ concertId, userId }) {
      const hardness = Math.round(joins.perSecond() * NUMBER_PER_JOIN_A_SECOND);
      const maxnumber = Math.min(numberMax, Math.max(numberMin, hardness));
      const expires = Math.floor(now() / SECOND_MS) + LIFE_SECONDS;
      const salt = `${randomBytes(SALT_BYTES).toString('hex')}?concert=${concertId}&user=${userId}&expires=${expires}&`;
      const challenge = hash('sha256', `${salt}${randomInt(maxnumber + 1)}`);
      return { algorithm: ALGORITHM, challenge, maxnumber, salt, signature: sign(challenge) };
    },

    unsolved(solution, { concertId, userId }) {
      if (solution === undefined || solution === '') return 'missing';
      const given = read(solution);
      if (given === undefined) return 'invalid';
      const { challenge, number, salt, signature } = given;
      const [, ofConcert, ofUser, expires] = SALT.exec(salt) ?? [];
      if (ofConcert !== concertId || ofUser !== userId) return 'invalid';
      if (hash('sha256', `${salt}${number}`) !== challenge) return 'invalid';
      if (!isEqual(signature, sign(challenge))) return 'invalid';
      return Number(expires) * SECOND_MS <= now() ? 'expired' : undefined;
    },

    noteJoin: joins.note,
  };
}

/** The JSON in base64 as ALTCHA's widget sends it; undefined if it is none. */
function read(solution: unknown): z.infer<typeof solutions> | undefined {
  if (typeof solution !== 'string' || solution.length > SOLUTION_LENGTH_MAX) return undefined;
  try {
    return solutions.safeParse(JSON.parse(Buffer.from(solution, 'base64').toString())).data;
  } catch {
    return undefined;
  }
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Events per second, each of which counts less the longer ago it was. */
function smoothedRate(windowMs: number, now: () => number) {
  let rate = 0;
  let at = now();

  function perSecond(): number {
    const sinceMs = Math.max(0, now() - at);
    rate *= Math.exp(-sinceMs / windowMs);
    at = now();
    return rate;
  }

  return {
    perSecond,
    note() {
      rate = perSecond() + SECOND_MS / windowMs;
    },
  };
}
