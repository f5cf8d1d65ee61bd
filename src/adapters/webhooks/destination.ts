import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Refusal } from '#domain/errors.ts';
import type { Judgement } from './networks.ts';

/** Returns all addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export type Destination = { readonly url: URL; readonly addresses: readonly LookupAddress[] };

/**
 * Resolves a URL and checks all of its addresses. The caller must connect to one of these and not resolve the name
 * again, as the next answer may differ. One refused address refuses the URL.
 *
 * @throws Refusal `webhook-url-refused`
 * @throws the errors of `resolve`
 */
export async function destinationOf(
  text: string,
  resolve: Resolve,
  judge: (address: string) => Judgement,
): Promise<Destination> {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refusal('it is not an https URL');
  if (url.username !== '' || url.password !== '') throw refusal('it contains a user name or password');
  // An IPv6 address is in brackets.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(hostname);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }];
  if (addresses.length === 0) throw refusal(`${hostname} does not resolve to an address`);
  const judgements = addresses.map(({ address }) => judge(address));
  const unfit = addresses[judgements.indexOf('refused')];
  if (unfit !== undefined) throw refusal(`${unfit.address} is not a public address`);
  if (url.protocol === 'http:' && judgements.includes('public')) throw refusal('it is not an https URL');
  return { url, addresses };
}

function refusal(reason: string) {
  return new Refusal('webhook-url-refused', { reason });
}
