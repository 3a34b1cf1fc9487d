import type { Address } from './address.ts';

/**
 * Returns the network that one customer has: an IPv4 address itself, or the /64 of an IPv6 address
 * (`2001:db8:0:1::/64`). Each spelling of an address gives the same text, and a zone is ignored. An IPv6
 * address that has an IPv4 address inside counts as that one: `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2)
 * and `64:ff9b::192.0.2.1` (RFC 6052 §2.1). Returns undefined for a UNIX socket.
 */
export function networkOf({ family, address }: Pick<Address, 'family' | 'address'>): string | undefined {
  if (family === 'unix') return undefined;
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  return ipv4Inside(groups) ?? `${groups.slice(0, 4).map(hexadecimal).join(':')}::/64`;
}

/**
 * Returns the IPv6 /48 around a network of {@link networkOf}, the most that one customer usually has
 * (RFC 6177): `2001:db8:0::/48`. Returns undefined for IPv4: neighbours there are other customers.
 */
export function siteOf(network: string): string | undefined {
  return network.includes(':') ? `${network.split(':', 3).join(':')}::/48` : undefined;
}

/** The eight numbers of an IPv6 address (RFC 4291 §2.2), without its zone. */
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

/** The IPv4 address in the last 32 bits, where the first 96 bits say that there is one. */
function ipv4Inside(groups: readonly number[]): string | undefined {
  if (!IPV4_PREFIXES.has(groups.slice(0, 6).join())) return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

function hexadecimal(group: number): string {
  return group.toString(16);
}

/** The first six numbers of IPv6 addresses with an IPv4 address behind them. */
const IPV4_PREFIXES: ReadonlySet<string> = new Set(['0,0,0,0,0,65535', `${0x64},${0xff9b},0,0,0,0`]);
