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
  const refusedList = listOf([...REFUSED_IPV4, ...REFUSED_IPV6]);
  const allowedList = listOf(allowed);
  return (address) => {
    // With a zone it is of this machine's own networks.
    if (isIP(address) === 0 || address.includes('%')) return 'refused';
    if (allowedList.check(address, familyOf(address))) return 'allowed';
    return refusedList.check(address, familyOf(address)) ? 'refused' : 'public';
  };
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');
