import type { Address } from '@postern/conversation';
import { isAddressLiteral, isDomain } from '../protocol/domain.ts';

/**
 * Returns the name that a client says with EHLO: the host's own if it is fully qualified, else the
 * address literal of its end of the connection (RFC 5321 §4.1.4).
 */
export function ehloName(hostname: string | undefined, { family, address }: Address): string {
  if (hostname !== undefined && isQualifiedName(hostname)) return hostname;
  if (family === 'unix') return '[127.0.0.1]';
  // A link-local address has a zone, which means nothing to the server.
  const [plain = ''] = address.split('%');
  return family === 'IPv6' ? `[IPv6:${plain}]` : `[${plain}]`;
}

/** True for what EHLO can say of a host: a domain of several labels in ASCII, or an address literal. */
function isQualifiedName(name: string): boolean {
  return isAddressLiteral(name) || (isDomain(name) && name.includes('.') && /^[!-~]+$/.test(name));
}
