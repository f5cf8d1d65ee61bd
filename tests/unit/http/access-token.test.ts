import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { userId } from '#domain/ids.ts';

const SECRET = 'an access secret of more than 32 characters';
const SECONDS = 3_600;
const tokens = accessTokens({ secret: SECRET, seconds: SECONDS });
const user = userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f');
const key = new TextEncoder().encode(SECRET);
const now = Math.floor(Date.now() / 1_000);
const ours = { sub: user, iss: 'frontrow', aud: 'frontrow', iat: now, exp: now + SECONDS };

/** What `jose` says of a token, which is what holds. */
async function verdictOfJose(token: string): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: 'frontrow',
      audience: 'frontrow',
      algorithms: ['HS256'],
      requiredClaims: ['sub', 'exp'],
    });
    return payload.sub;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

const sign = (claims: object, header: object = {}, secret = SECRET, alg = 'HS256') =>
  new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, ...header }).sign(new TextEncoder().encode(secret));
const without = (name: keyof typeof ours) => ({ ...ours, [name]: undefined });
const part = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const genuine = tokens.issue(user).accessToken;
const [header = '', payload = '', signature = ''] = genuine.split('.');
/** The same bytes, spelt otherwise: 43 characters hold two bits more than the signature. */
const respelt = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
  .map((last) => signature.slice(0, -1) + last)
  .find((other) => other !== signature && Buffer.from(other, 'base64url').equals(Buffer.from(signature, 'base64url')));

const GOOD: readonly (readonly [string, string | Promise<string>])[] = [
  ['as we issue it', genuine],
  ['as jose signs it', sign(ours)],
  ['with another header', sign(ours, { typ: 'JWT' })],
  ['without iat', sign(without('iat'))],
  ['with more claims than ours', sign({ ...ours, name: 'Kim' })],
  ['for several audiences', sign({ ...ours, aud: ['other', 'frontrow'] })],
  ['that has been valid for a while', sign({ ...ours, nbf: now - 10 })],
];
const BAD: readonly (readonly [string, string | Promise<string>])[] = [
  ['that has expired', sign({ ...ours, exp: now - 1 })],
  ['that expires now', sign({ ...ours, exp: now })],
  ['that is not valid yet', sign({ ...ours, nbf: now + SECONDS })],
  ['whose nbf is no time', sign({ ...ours, nbf: 'later' })],
  ['whose iat is no time', sign({ ...ours, iat: String(now) })],
  ['whose exp is no time', sign({ ...ours, exp: String(now + SECONDS) })],
  ['without exp', sign(without('exp'))],
  ['without sub', sign(without('sub'))],
  ['without iss', sign(without('iss'))],
  ['without aud', sign(without('aud'))],
  ['of another issuer', sign({ ...ours, iss: 'other' })],
  ['for another audience', sign({ ...ours, aud: 'other' })],
  ['signed with another secret', sign(ours, {}, 'another secret of more than 32 characters')],
  ['signed with another algorithm', sign(ours, {}, SECRET.repeat(2), 'HS512')],
  ['without a signature, by its header', `${part({ alg: 'none' })}.${payload}.`],
  ['without a signature', `${header}.${payload}.`],
  ['with another payload', `${header}.${part({ ...ours, sub: 'other' })}.${signature}`],
  ['with a fourth part', `${genuine}.x`],
  ['with two parts', `${header}.${payload}`],
  ['whose payload is not JSON', `${header}.${part('{')}.${signatureOf(`${header}.${part('{')}`)}`],
  ['whose payload is null', `${header}.${part('null')}.${signatureOf(`${header}.${part('null')}`)}`],
  ['that is empty', ''],
];

function signatureOf(text: string): string {
  return createHmac('sha256', SECRET).update(text).digest('base64url');
}

afterEach(() => vi.useRealTimers());

describe('an access token', () => {
  it.each(GOOD)('is accepted by us and by jose: %s', async (_, token) => {
    expect([await tokens.verify(await token), await verdictOfJose(await token)]).toEqual([user, user]);
  });

  it.each(BAD)('is refused by us and by jose: %s', async (_, token) => {
    expect([await tokens.verify(await token), await verdictOfJose(await token)]).toEqual([undefined, undefined]);
  });

  it('in another spelling is accepted exactly if jose accepts it', async () => {
    const token = `${header}.${payload}.${respelt}`;
    expect(respelt).toBeDefined();
    expect(await tokens.verify(token)).toBe(await verdictOfJose(token));
  });

  it('with one character changed is accepted exactly if jose accepts it', async () => {
    const alphabet = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.');
    await fc.assert(
      fc.asyncProperty(fc.nat(genuine.length - 1), alphabet, async (at, character) => {
        const token = genuine.slice(0, at) + character + genuine.slice(at + 1);
        expect(await tokens.verify(token)).toBe(await verdictOfJose(token));
      }),
    );
  });

  it('is accepted until it expires', async () => {
    const { accessToken, expiresAt } = tokens.issue(user);
    vi.useFakeTimers({ now: expiresAt.getTime() - 1, toFake: ['Date'] });
    expect(await tokens.verify(accessToken)).toBe(user);
    vi.setSystemTime(expiresAt);
    expect(await tokens.verify(accessToken)).toBeUndefined();
  });
});
