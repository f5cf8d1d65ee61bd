import { describe, expect, it } from 'vitest';
import { destinationOf } from '#adapters/webhooks/destination.ts';
import { judgeOfAddresses } from '#adapters/webhooks/networks.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';

const PUBLIC = { address: '93.184.215.14', family: 4 };
const PRIVATE = { address: '10.0.0.7', family: 4 };
const judge = judgeOfAddresses(['127.0.0.0/8']);

/** What a URL leads to, its name leading to these. */
const from = (url: string, addresses = [PUBLIC]) => destinationOf(url, async () => addresses, judge);

describe('a URL', () => {
  it('leads to the addresses of its name', async () => {
    const { url, addresses } = await from('https://shop.example/hook?x=1', [PUBLIC, { ...PUBLIC, address: '1.1.1.1' }]);
    expect(url.href).toBe('https://shop.example/hook?x=1');
    expect(addresses.map(({ address }) => address)).toEqual(['93.184.215.14', '1.1.1.1']);
  });

  it('is refused if one address of several is not public', async () => {
    const reason = '10.0.0.7 is not a public address';
    await expectRefusal(from('https://shop.example/', [PUBLIC, PRIVATE]), 'webhook-url-refused', { reason });
  });

  it('is refused if its name does not resolve', async () => {
    await expectRefusal(from('https://shop.example/', []), 'webhook-url-refused', {
      reason: 'shop.example does not resolve to an address',
    });
  });

  it.each([
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]:8443/',
    'https://2130706433.0x7f.1/',
    'https://0x0a000001/',
    'https://012.0.0.1/',
    'https://10.1/',
  ])('with a private address in it, however it is written, is refused: %s', async (url) => {
    await expectRefusal(from(url), 'webhook-url-refused');
  });

  it.each([
    ['http://shop.example/', 'it is not an https URL'],
    ['ftp://shop.example/', 'it is not an https URL'],
    ['file:///etc/passwd', 'it is not an https URL'],
    ['shop.example', 'it is not an https URL'],
    ['https://user:password@shop.example/', 'it contains a user name or password'],
    ['https://user@shop.example/', 'it contains a user name or password'],
  ])('is refused where it is not of the form: %s', async (url, reason) => {
    await expectRefusal(from(url), 'webhook-url-refused', { reason });
  });

  it('may be http towards networks that are allowed, and only if all of its addresses are', async () => {
    expect((await from('http://127.0.0.1:8080/hook')).addresses).toEqual([{ address: '127.0.0.1', family: 4 }]);
    const both = [{ address: '127.0.0.1', family: 4 }, PUBLIC];
    await expectRefusal(from('http://shop.example/', both), 'webhook-url-refused', {
      reason: 'it is not an https URL',
    });
    expect((await from('https://shop.example/', both)).addresses).toEqual(both);
  });
});
