import { type Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldCase, foldMailbox, withoutSubaddress } from '../protocol/mailbox-identity.ts';

/**
 * Returns true if one of the addresses covers the sender: `ann@example.com`, or `@example.com` for
 * all addresses of a domain. Ignores the case of addresses, and the tag of the sender behind a
 * character of `recipientDelimiter`.
 *
 * @throws TypeError for an invalid address: a mistake in the list must not look like a mistake of
 * the client.
 */
export function ownsSender(addresses: readonly string[], sender: Mailbox, recipientDelimiter: string): boolean {
  const exact = foldMailbox(sender);
  const user = withoutSubaddress(exact, recipientDelimiter);
  return addresses.some((address) => covers(address, exact, user));
}

function covers(address: string, exact: Mailbox, user: Mailbox): boolean {
  if (address.startsWith('@')) return foldCase(address.slice(1)) === exact.domain;
  const own = parseMailbox(address);
  if (own === undefined) throw new TypeError(`${address} is not an address`);
  const { localPart, domain } = foldMailbox(own);
  return domain === exact.domain && (localPart === exact.localPart || localPart === user.localPart);
}
