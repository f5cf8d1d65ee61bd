import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '#adapters/http/guards/hmac.ts';

const BLOCK_BYTES = 64;
const expected = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('base64url');

// Keys up to and beyond a block, texts up to and beyond the room that is kept, characters of one to four bytes.
const anyText = (maxLength: number) => fc.oneof(fc.string({ maxLength }), fc.string({ unit: 'grapheme', maxLength }));
const secrets = fc.oneof(
  anyText(3 * BLOCK_BYTES),
  fc.integer({ min: BLOCK_BYTES - 1, max: BLOCK_BYTES + 1 }).map((length) => 'k'.repeat(length)),
);
const texts = fc.oneof(
  anyText(200),
  fc.integer({ min: 900, max: 1_100 }).map((length) => 'é'.repeat(length)),
  fc.integer({ min: 300, max: 350 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 900, max: 4_000 }).map((length) => 'x'.repeat(length)),
);

describe('a signature', () => {
  it('equals that of createHmac, for any secret and after any texts', () => {
    fc.assert(
      fc.property(secrets, fc.array(texts, { minLength: 1, maxLength: 5 }), (secret, signed) => {
        const signer = hmacSha256(secret);
        expect(signed.map(signer.sign)).toEqual(signed.map((text) => expected(secret, text)));
      }),
    );
  });

  it('is genuine for its own text and secret, and for no others', () => {
    const signer = hmacSha256('secret');
    const signature = signer.sign('text');
    expect(signer.isGenuine('text', signature)).toBe(true);
    expect(signer.isGenuine('Text', signature)).toBe(false);
    expect(hmacSha256('Secret').isGenuine('text', signature)).toBe(false);
  });

  it.each(['', 'A', 'é'.repeat(43), 'A'.repeat(43), `${hmacSha256('secret').sign('text')}A`])(
    'is not %j',
    (signature) => {
      expect(hmacSha256('secret').isGenuine('text', signature)).toBe(false);
    },
  );

  it('is not another spelling of the same bytes', () => {
    const signer = hmacSha256('secret');
    const signature = signer.sign('text');
    const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .map((last) => signature.slice(0, -1) + last)
      .filter((other) => Buffer.from(other, 'base64url').equals(Buffer.from(signature, 'base64url')));
    expect(spellings).toHaveLength(4);
    expect(spellings.filter((other) => signer.isGenuine('text', other))).toEqual([signature]);
  });
});
