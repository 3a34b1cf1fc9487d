/** One end of a connection. A UNIX socket has its path as `address`, often empty, and port 0. */
export interface Address {
  readonly family: 'IPv4' | 'IPv6' | 'unix';
  /** The IP address as text, or the path of a UNIX socket. */
  readonly address: string;
  readonly port: number;
}

/**
 * Returns true for a UNIX socket and for a loopback address: `127.0.0.0/8`, also IPv4-mapped
 * (RFC 4291 §2.5.5.2), and `::1`. No other machine can read such a connection.
 */
export function isLocal({ family, address }: Pick<Address, 'family' | 'address'>): boolean {
  if (family === 'unix' || address === '::1') return true;
  if (!address.includes(':')) return address.startsWith('127.');
  const groups = groupsOf(address);
  if (groups.slice(0, 6).join() !== IPV4_MAPPED) return groups.join() === '0,0,0,0,0,0,0,1';
  return ipv4In(groups).startsWith('127.');
}

/**
 * Returns the network that limits count a client by: an IPv4 address itself, or the /64 of an IPv6
 * address (`2001:db8:0:1::/64`). Each spelling of an address gives the same text, without a zone.
 * An IPv6 address that contains an IPv4 address counts as the latter: `::ffff:192.0.2.1` (RFC 4291
 * §2.5.5.2) and `64:ff9b::192.0.2.1` (RFC 6052 §2.1). Returns undefined for a UNIX socket.
 *
 * @example
 * ```ts
 * import { networkOf, siteOf } from '@postern/core';
 *
 * const network = networkOf({ family: 'IPv6', address: '2001:db8:0:1::25' });
 * const site = network && siteOf(network);
 * ```
 */
export function networkOf({ family, address }: Pick<Address, 'family' | 'address'>): string | undefined {
  if (family === 'unix') return undefined;
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  if (IPV4_PREFIXES.has(groups.slice(0, 6).join())) return ipv4In(groups);
  return `${groups.slice(0, 4).map(hexadecimal).join(':')}::/64`;
}

/**
 * Returns the IPv6 /48 around a network of {@link networkOf}: `2001:db8:0::/48`. One customer
 * seldom has more than a /48 (RFC 6177). Returns undefined for IPv4, whose neighbours are other
 * customers.
 */
export function siteOf(network: string): string | undefined {
  return network.includes(':') ? `${network.split(':', 3).join(':')}::/48` : undefined;
}

/** Returns the eight 16-bit numbers of an IPv6 address (RFC 4291 §2.2), without its zone. */
function groupsOf(address: string): number[] {
  const [before = [], after = []] = address.replace(/%.*$/s, '').split('::').map(numbersOf);
  const gap = Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<number>(gap).fill(0), ...after];
}

function numbersOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** Returns the last 32 bits as an IPv4 address. */
function ipv4In(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

function hexadecimal(group: number): string {
  return group.toString(16);
}

/** The first 96 bits of an IPv4-mapped address, `::ffff:0:0/96`. */
const IPV4_MAPPED = '0,0,0,0,0,65535';

/** The first 96 bits of the IPv6 addresses that contain an IPv4 address. */
const IPV4_PREFIXES: ReadonlySet<string> = new Set([IPV4_MAPPED, `${0x64},${0xff9b},0,0,0,0`]);
