import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Refusal } from '#domain/errors.ts';
import type { Judgement } from './networks.ts';

/** Where a name leads to, all of it. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export type Destination = { readonly url: URL; readonly addresses: readonly LookupAddress[] };

/**
 * The addresses that a URL leads to now, each of them found fit. Whoever connects has to connect to one of these, and not
 * ask for the name again: the next answer may be another one. One unfit address among several is a reason to refuse all.
 *
 * @throws Refusal `webhook-url-refused`, and whatever `resolve` does
 */
export async function destinationOf(
  text: string,
  resolve: Resolve,
  judge: (address: string) => Judgement,
): Promise<Destination> {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refusal('it is no https URL');
  if (url.username !== '' || url.password !== '') throw refusal('it has a user name or a password in it');
  // An IPv6 address stands in brackets.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(hostname);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }];
  if (addresses.length === 0) throw refusal(`${hostname} leads nowhere`);
  const judgements = addresses.map(({ address }) => judge(address));
  const unfit = addresses[judgements.indexOf('refused')];
  if (unfit !== undefined) throw refusal(`${unfit.address} is not a public address`);
  if (url.protocol === 'http:' && judgements.includes('public')) throw refusal('it is no https URL');
  return { url, addresses };
}

function refusal(reason: string) {
  return new Refusal('webhook-url-refused', { reason });
}
