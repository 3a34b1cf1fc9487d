import type { Address } from '@postern/conversation';
import { isAddressLiteral, isDomain } from '../protocol/domain.ts';

/**
 * Returns the name for EHLO: the host name if it is fully qualified, else the address literal of
 * the client's end of the connection (RFC 5321 §4.1.4).
 */
export function ehloName(hostname: string | undefined, { family, address }: Address): string {
  if (hostname !== undefined && isQualifiedName(hostname)) return hostname;
  if (family === 'unix') return '[127.0.0.1]';
  // The zone of a link-local address has no meaning for the server.
  const [plain = ''] = address.split('%');
  return family === 'IPv6' ? `[IPv6:${plain}]` : `[${plain}]`;
}

/** Returns true for an address literal and for an ASCII domain of several labels. */
function isQualifiedName(name: string): boolean {
  return isAddressLiteral(name) || (isDomain(name) && name.includes('.') && /^[!-~]+$/.test(name));
}
