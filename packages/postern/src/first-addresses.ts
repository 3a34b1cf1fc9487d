import { isAddressLiteral, parseMailbox } from '@postern/esmtp';
import type { DemoUser, Settings } from './settings.ts';

/** The sender and the recipient of a first message: addresses that the server's own settings accept. */
export interface FirstAddresses {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  readonly to: string;
}

/** The settings that decide which senders and recipients are accepted. */
export type AddressSettings = Pick<Settings, 'hostname' | 'ownSenders' | 'recipients'>;

/** Returns addresses for the made-up user's first message. */
export function firstAddresses(settings: AddressSettings, { username }: DemoUser): FirstAddresses {
  return { from: senderFor(settings, username), to: recipientFor(settings) };
}

/** A file or a function may list no address of the made-up user: the null reverse-path is always accepted. */
function senderFor({ ownSenders, recipients, hostname }: AddressSettings, username: string): string {
  if (ownSenders === undefined) return `${username}@example.com`;
  const domain = Array.isArray(recipients?.domains) ? recipients.domains[0] : hostname;
  return (ownSenders.kind === 'users' && qualified(`${username}@${domain}`)) || '';
}

function recipientFor({ recipients, hostname }: AddressSettings): string {
  if (recipients === undefined) return 'ann@example.com';
  const { mailboxes, domains, files, users, lookup } = recipients;
  const takesAll = domains !== undefined && mailboxes === undefined && lookup === undefined;
  const [name = takesAll && users.length + files.length === 0 ? 'ann' : POSTMASTER] = mailboxes ?? [];
  if (name.startsWith('@')) return `ann${name}`;
  const [domain = hostname] = domains === '*' ? ['example.com'] : (domains ?? []);
  return qualified(name) ?? qualified(`${name}@${domain}`) ?? POSTMASTER;
}

/** Returns the address, unless submission refuses it for its domain (RFC 6409 §4.2). */
function qualified(address: string): string | undefined {
  const domain = parseMailbox(address)?.domain ?? '';
  return domain.includes('.') || isAddressLiteral(domain) || domain === 'localhost' ? address : undefined;
}

/** Every server accepts it, without a domain too (RFC 5321 §4.5.1). */
const POSTMASTER = 'postmaster';
