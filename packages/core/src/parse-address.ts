import type { Address } from './address.ts';

/**
 * Returns an address with this IP address as its text; undefined for another text. The address has
 * no zone (RFC 4007 §11), which only its own machine knows: `fe80::1` for `fe80::1%eth0`.
 */
export function parseAddress(ip: string, port: string | undefined): Address | undefined {
  const number = port !== undefined && PORT.test(port) ? Number(port) : 0;
  const valid = number <= MAX_PORT ? number : 0;
  if (IPV4.test(ip)) return { family: 'IPv4', address: ip, port: valid };
  const address = ip.replace(ZONE, '');
  if (IPV6.test(address) && URL.canParse(`http://[${address}]`)) return { family: 'IPv6', address, port: valid };
  return undefined;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[\da-f:.]{2,45}$/i;
const ZONE = /%[!-~]{1,64}$/;
const PORT = /^\d{1,5}$/;
const MAX_PORT = 65_535;
