import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue/queue.ts';

const OLD = { id: 'k1', secret: 'the first secret, of more than 32 characters' };
const NEW = { id: 'k2', secret: 'the second secret, of more than 32 characters' };
const tokens = queueTokens([OLD]);

const claim: QueueClaim = {
  userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  sequence: 42,
  epoch: 'AAECAwQF',
  joinedAt: new Date('2026-11-20T09:30:00.123Z'),
};

const SIX_BYTES_MAX = 2 ** 48 - 1;
const TIME_MAX = 8.64e15;
const claims: fc.Arbitrary<QueueClaim> = fc.record({
  userId: fc.uuid().map(userId),
  concertId: fc.uuid().map(concertId),
  sequence: fc.integer({ min: 1, max: SIX_BYTES_MAX }),
  epoch: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  joinedAt: fc.integer({ min: 0, max: Math.min(SIX_BYTES_MAX, TIME_MAX) }).map((time) => new Date(time)),
});

/** The same text but for one character. */
function altered(text: string, at: number, by: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const character = alphabet[(alphabet.indexOf(text[at] ?? '') + by) % alphabet.length];
  return `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
}

describe('a queue token', () => {
  it('says what it was signed for, whatever the claim', () => {
    fc.assert(
      fc.property(claims, (any) => {
        expect(tokens.verify(tokens.sign(any))).toEqual(any);
      }),
    );
  });

  it('is the same for the same claim, and another for another', () => {
    expect(tokens.sign({ ...claim })).toBe(tokens.sign(claim));
    const others: Partial<QueueClaim>[] = [
      { userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e40') },
      { concertId: concertId('01939c5e-0000-7000-8000-000000000002') },
      { sequence: 41 },
      { epoch: 'AAECAwQG' },
      { joinedAt: new Date('2026-11-20T09:30:00.124Z') },
    ];
    const all = [claim, ...others.map((other) => ({ ...claim, ...other }))].map(tokens.sign);
    expect(new Set(all).size).toBe(all.length);
  });

  it('fits into a header and a URL as it is', () => {
    expect(tokens.sign(claim)).toMatch(/^[\w.-]{1,130}$/);
  });

  it('is worth nothing once a single character of it is another, in whichever part', () => {
    const token = tokens.sign(claim);
    for (let at = 0; at < token.length; at++) {
      if (token[at] === '.') continue;
      for (const by of [1, 2, 16, 32]) expect(tokens.verify(altered(token, at, by)), `${at}`).toBeUndefined();
    }
  });

  it('is worth nothing altered, however often the genuine one was shown before', () => {
    const shown = queueTokens([OLD]);
    const token = shown.sign(claim);
    for (let at = 0; at < token.length; at++) {
      expect(shown.verify(token)).toEqual(claim);
      if (token[at] !== '.') expect(shown.verify(altered(token, at, 1)), `${at}`).toBeUndefined();
    }
  });

  it('says the same however often it is shown, and nothing that is not ours is ever found in the memory', () => {
    const shown = queueTokens([OLD]);
    const forged = queueTokens([{ ...OLD, secret: NEW.secret }]).sign(claim);
    expect([shown.verify(forged), shown.verify(forged)]).toEqual([undefined, undefined]);
    expect([shown.verify(shown.sign(claim)), shown.verify(shown.sign(claim))]).toEqual([claim, claim]);
    expect(shown.verify(forged)).toBeUndefined();
  });

  it('is worth nothing with the claim of one and the signature of another', () => {
    const [mine, theirs] = [tokens.sign(claim), tokens.sign({ ...claim, sequence: 1 })];
    const [keyId, payload] = theirs.split('.');
    expect(tokens.verify(`${keyId}.${payload}.${mine.split('.')[2]}`)).toBeUndefined();
  });

  it('is worth nothing when signed by a key that we do not have, even under the id of one', () => {
    const forged = queueTokens([{ id: OLD.id, secret: 'a guess of more than thirty-two characters' }]).sign(claim);
    expect(tokens.verify(forged)).toBeUndefined();
    expect(tokens.verify(queueTokens([NEW]).sign(claim))).toBeUndefined();
  });

  it('stays good when the key is rotated, until the old key is taken away', () => {
    const before = tokens.sign(claim);
    const rotated = queueTokens([NEW, OLD]);
    expect(rotated.verify(before)).toEqual(claim);
    expect(rotated.sign(claim).startsWith(`${NEW.id}.`)).toBe(true);
    expect(queueTokens([NEW]).verify(before)).toBeUndefined();
    expect(queueTokens([NEW]).verify(rotated.sign(claim))).toEqual(claim);
  });

  it.each([
    '',
    '.',
    '..',
    'k1',
    'k1..',
    'null',
    `${'A'.repeat(115)}`,
    `${tokens.sign(claim)}A`,
    ` ${tokens.sign(claim)}`,
  ])('is not %j', (text) => {
    expect(tokens.verify(text)).toBeUndefined();
  });

  it('is no text that somebody made up, and reading it never fails', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(tokens.verify(text)).toBeUndefined();
      }),
    );
    const part = (length: number) => fc.stringMatching(new RegExp(`^[\\w-]{${length}}$`));
    fc.assert(
      fc.property(part(67), part(43), (payload, signature) => {
        expect(tokens.verify(`${OLD.id}.${payload}.${signature}`)).toBeUndefined();
      }),
    );
  });
});
