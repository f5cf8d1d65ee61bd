import { BlockList, isIP, isIPv4 } from 'node:net';

/** Whether messages may go to an address: to public ones, and to those that an operator allows. */
export type Judgement = 'public' | 'allowed' | 'refused';

/**
 * The non-public networks of IANA's special-purpose registries: this host, private and shared networks, loopback,
 * link-local with cloud metadata, documentation, benchmarks, relays, multicast, reserved.
 */
const REFUSED_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/**
 * Everything but global unicast (2000::/3), which includes IPv4 in its mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96)
 * forms. Within global unicast, addresses that carry an IPv4 address (Teredo, 6to4) and documentation.
 */
const REFUSED_IPV6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** @param allowed non-public networks (`127.0.0.0/8`) and addresses to which messages may go */
export function judgeOfAddresses(allowed: readonly string[]): (address: string) => Judgement {
  const isRefused = matcherOf([...REFUSED_IPV4, ...REFUSED_IPV6]);
  const isAllowed = matcherOf(allowed);
  return (address) => {
    // A zone means a local network of this machine.
    if (isIP(address) === 0 || address.includes('%')) return 'refused';
    if (isAllowed(address)) return 'allowed';
    return isRefused(address) ? 'refused' : 'public';
  };
}

/**
 * Matches addresses against networks. One list per family, as in a common one ::/3 would contain mapped IPv4 addresses.
 */
function matcherOf(networks: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (bits === undefined) lists[family].addAddress(address, family);
    else lists[family].addSubnet(address, Number(bits), family);
  }
  return (address) => lists[familyOf(address)].check(address, familyOf(address));
}

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');
