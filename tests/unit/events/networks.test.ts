import { describe, expect, it } from 'vitest';
import { judgeOfAddresses } from '#adapters/webhooks/networks.ts';

const judge = judgeOfAddresses([]);

describe('letters go to', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '2600::1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
  ])('the public address %s', (address) => {
    expect(judge(address)).toBe('public');
  });
});

describe('no letters go to', () => {
  it.each([
    ['this host', ['0.0.0.0', '0.1.2.3', '::']],
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['private networks', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1']],
    ['addresses shared by a carrier', ['100.64.0.1', '100.127.255.255']],
    [
      'link-local addresses, where clouds keep their secrets',
      ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
    ],
    [
      'multicast, broadcast and reserved addresses',
      ['224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', 'ff02::1'],
    ],
    [
      'documentation and benchmarks',
      ['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1', '3fff::1'],
    ],
    ['IPv4 in the form of IPv6', ['::ffff:127.0.0.1', '::ffff:a00:1', '::ffff:8.8.8.8', '::7f00:1']],
    [
      'IPv4 behind a translator or a tunnel',
      ['64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2001:0:7f00:1::', '192.88.99.1'],
    ],
    ['what is not assigned', ['4000::1', '5f00::1', '8000::1', '1::1']],
    ['what is no address', ['', 'localhost', '127.1', '1.2.3.4.5', '[::1]']],
  ])('%s', (_, addresses) => {
    expect(addresses.filter((address) => judge(address) !== 'refused')).toEqual([]);
  });
});

describe('an operator may allow', () => {
  const judgeAllowing = judgeOfAddresses(['127.0.0.0/8', '10.1.2.3', 'fd00::/8']);

  it.each(['127.0.0.1', '127.9.9.9', '10.1.2.3', 'fd00::1'])('%s', (address) => {
    expect(judgeAllowing(address)).toBe('allowed');
  });

  it.each(['10.1.2.4', '128.0.0.0', 'fc00::1', '169.254.169.254', '::1'])('and nothing beside it: %s', (address) => {
    expect(judgeAllowing(address)).toBe(address === '128.0.0.0' ? 'public' : 'refused');
  });
});
