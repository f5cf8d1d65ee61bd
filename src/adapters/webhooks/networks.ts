import { BlockList, isIP, isIPv4 } from 'node:net';

/** Whether letters go to an address: to `public` ones, and to those that an operator allows by name. */
export type Judgement = 'public' | 'allowed' | 'refused';

/**
 * What does not lead to a public server (IANA's special-purpose registries): this host, private and shared networks,
 * loopback, link-local with the clouds' metadata, documentation, benchmarks, relays, multicast, reserved.
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
 * Everything but global unicast (2000::/3), and so IPv4 in its mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96) forms as well;
 * and of global unicast what carries an IPv4 address (Teredo, 6to4) or is for documentation.
 */
const REFUSED_IPV6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** @param allowed networks (`127.0.0.0/8`) and addresses that are not public and yet letters go there */
export function judgeOfAddresses(allowed: readonly string[]): (address: string) => Judgement {
  const isRefused = matcherOf([...REFUSED_IPV4, ...REFUSED_IPV6]);
  const isAllowed = matcherOf(allowed);
  return (address) => {
    // With a zone it is of this machine's own networks.
    if (isIP(address) === 0 || address.includes('%')) return 'refused';
    if (isAllowed(address)) return 'allowed';
    return isRefused(address) ? 'refused' : 'public';
  };
}

/** Whether an address is in one of these networks. A list per family: in a common one an IPv4 address is in ::/3, mapped. */
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
