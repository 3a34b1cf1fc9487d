import type { Address } from '../mind.ts';

/**
 * The network that one customer has: an IPv4 address itself, the /64 of an IPv6 address. Undefined for UNIX sockets.
 * IPv4 in IPv6's clothes (`::ffff:192.0.2.1`, or `64:ff9b::192.0.2.1` behind a translator, RFC 6052 §2.1) is IPv4.
 */
export function networkOf({ family, address }: Address): string | undefined {
  if (family === 'unix') return undefined;
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  if (IPV4_INSIDE.has(groups.slice(0, 6).join())) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The /48 that a network of IPv6 is part of, the most that one customer usually gets; undefined for IPv4. */
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

/** The first six numbers of IPv6 addresses with an IPv4 address behind them. */
const IPV4_INSIDE: ReadonlySet<string> = new Set(['0,0,0,0,0,65535', `${0x64},${0xff9b},0,0,0,0`]);
