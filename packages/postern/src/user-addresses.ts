import { ANONYMOUS, type AvatarId, NoAvatar } from '@postern/cred';
import { isAddressLiteral, Mailbox, parseMailbox, withoutSubaddress } from '@postern/esmtp';
import type { Settings } from './settings.ts';

/** The settings that decide which address a user has. */
export type UserAddressSettings = Pick<Settings, 'hostname' | 'recipients' | 'recipientDelimiter'>;

/**
 * Returns the address whose mail a user reads: the user's name, if it is an address, or else the
 * name at the first of the local domains. Aliases have no part in it: an alias passes on mail, and
 * gives no access to the mailbox of its target.
 *
 * @throws NoAvatar for an anonymous client, and for a name with a tag: its mail is in the mailbox
 * of another user.
 */
export function addressOfUser(avatarId: AvatarId, settings: UserAddressSettings): Mailbox {
  if (avatarId === ANONYMOUS) throw new NoAvatar('an anonymous client has no mailbox');
  const [domain = settings.hostname] = ownDomains(settings);
  const address = parseCanonical(avatarId) ?? new Mailbox(avatarId, domain);
  const untagged = withoutSubaddress(address, settings.recipientDelimiter);
  if (untagged.localPart === address.localPart) return address;
  throw new NoAvatar(
    `the user ${avatarId} has no mailbox: mail for ${address.toString()} is in the mailbox of ${untagged.toString()}; ` +
      'expected a name without a tag, or another --recipient-delimiter',
  );
}

/** Returns the domains at which a user name is an address. Default: the server's name. */
export function ownDomains({ recipients, hostname }: Pick<UserAddressSettings, 'recipients' | 'hostname'>) {
  const domains = recipients?.domains;
  return domains === undefined || domains === '*' ? [hostname] : domains;
}

/** Returns true unless submission refuses addresses at the domain (RFC 6409 §4.2). */
export function isQualifiedDomain(domain: string): boolean {
  return domain.includes('.') || isAddressLiteral(domain) || domain === 'localhost';
}

/** `"ann"@example.com` is the address of the user `ann@example.com`, and of no other. */
function parseCanonical(text: string): Mailbox | undefined {
  const address = parseMailbox(text);
  return address?.toString() === text ? address : undefined;
}
