import { BlockList, isIP } from 'node:net';
import type { Address } from '@postern/conversation';

/**
 * Returns a function that returns true for each peer on the list. An entry is an address
 * (`192.0.2.1`), a network (`10.0.0.0/8`, `2001:db8::/32`), or `unix` for all peers on UNIX
 * sockets.
 *
 * @example
 * ```ts
 * import { networks } from '@postern/node';
 *
 * const isTrusted = networks(['10.0.0.0/8', '2001:db8::/32', 'unix']);
 * console.log(isTrusted({ family: 'IPv4', address: '10.1.2.3', port: 40_000 })); // true
 * ```
 *
 * @throws TypeError that names an entry which is neither an address nor a network.
 */
export function networks(list: readonly string[]): (peer: Address) => boolean {
  const blocks = new BlockList();
  for (const text of list) if (text !== 'unix') add(blocks, text);
  const unix = list.includes('unix');
  return ({ family, address }) =>
    family === 'unix' ? unix : blocks.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6');
}

function add(blocks: BlockList, text: string): void {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const maximum = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? maximum : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (isIP(address) === 0 || more.length > 0 || !(prefix <= maximum)) {
    throw new TypeError(`${text} is neither an address nor a network`);
  }
  blocks.addSubnet(address, prefix, family);
}
