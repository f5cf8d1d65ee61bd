import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';

const OLD = { id: 'k1', secret: 'the first secret, of more than 32 characters' };
const NEW = { id: 'k2', secret: 'the second secret, of more than 32 characters' };
const tokens = queueTokens([OLD]);

const entry: QueueEntry = {
  userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  sequence: 42,
  epoch: 'AAECAwQF',
  joinedAt: new Date('2026-11-20T09:30:00.123Z'),
};

const SIX_BYTES_MAX = 2 ** 48 - 1;
const TIME_MAX = 8.64e15;
const entries: fc.Arbitrary<QueueEntry> = fc.record({
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
  it('says what it was signed for, whatever the payload', () => {
    fc.assert(
      fc.property(entries, (any) => {
        expect(tokens.verify(tokens.sign(any))).toEqual(any);
      }),
    );
  });

  it('is the same for the same payload, and another for another', () => {
    expect(tokens.sign({ ...entry })).toBe(tokens.sign(entry));
    const others: Partial<QueueEntry>[] = [
      { userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e40') },
      { concertId: concertId('01939c5e-0000-7000-8000-000000000002') },
      { sequence: 41 },
      { epoch: 'AAECAwQG' },
      { joinedAt: new Date('2026-11-20T09:30:00.124Z') },
    ];
    const all = [entry, ...others.map((other) => ({ ...entry, ...other }))].map(tokens.sign);
    expect(new Set(all).size).toBe(all.length);
  });

  it('fits into a header and a URL as it is', () => {
    expect(tokens.sign(entry)).toMatch(/^[\w.-]{1,130}$/);
  });

  it('is worth nothing once a single character of it is another, in whichever part', () => {
    const token = tokens.sign(entry);
    for (let at = 0; at < token.length; at++) {
      if (token[at] === '.') continue;
      for (const by of [1, 2, 16, 32]) expect(tokens.verify(altered(token, at, by)), `${at}`).toBeUndefined();
    }
  });

  it('is worth nothing altered, however often the genuine one was shown before', () => {
    const shown = queueTokens([OLD]);
    const token = shown.sign(entry);
    for (let at = 0; at < token.length; at++) {
      expect(shown.verify(token)).toEqual(entry);
      if (token[at] !== '.') expect(shown.verify(altered(token, at, 1)), `${at}`).toBeUndefined();
    }
  });

  it('says the same however often it is shown, and nothing that is not ours is ever found in the memory', () => {
    const shown = queueTokens([OLD]);
    const forged = queueTokens([{ ...OLD, secret: NEW.secret }]).sign(entry);
    expect([shown.verify(forged), shown.verify(forged)]).toEqual([undefined, undefined]);
    expect([shown.verify(shown.sign(entry)), shown.verify(shown.sign(entry))]).toEqual([entry, entry]);
    expect(shown.verify(forged)).toBeUndefined();
  });

  it('is worth nothing with the payload of one and the signature of another', () => {
    const [mine, theirs] = [tokens.sign(entry), tokens.sign({ ...entry, sequence: 1 })];
    const [keyId, payload] = theirs.split('.');
    expect(tokens.verify(`${keyId}.${payload}.${mine.split('.')[2]}`)).toBeUndefined();
  });

  it('is worth nothing when signed by a key that we do not have, even under the id of one', () => {
    const forged = queueTokens([{ id: OLD.id, secret: 'a guess of more than thirty-two characters' }]).sign(entry);
    expect(tokens.verify(forged)).toBeUndefined();
    expect(tokens.verify(queueTokens([NEW]).sign(entry))).toBeUndefined();
  });

  it('stays good when the key is rotated, until the old key is taken away', () => {
    const before = tokens.sign(entry);
    const rotated = queueTokens([NEW, OLD]);
    expect(rotated.verify(before)).toEqual(entry);
    expect(rotated.sign(entry).startsWith(`${NEW.id}.`)).toBe(true);
    expect(queueTokens([NEW]).verify(before)).toBeUndefined();
    expect(queueTokens([NEW]).verify(rotated.sign(entry))).toEqual(entry);
  });

  it.each([
    '',
    '.',
    '..',
    'k1',
    'k1..',
    'null',
    `${'A'.repeat(115)}`,
    `${tokens.sign(entry)}A`,
    ` ${tokens.sign(entry)}`,
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
