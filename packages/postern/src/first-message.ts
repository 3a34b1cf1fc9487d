import { isAddressLiteral, parseMailbox } from '@postern/esmtp';
import { formatEndpoint } from '@postern/node';
import type { DemoUser, ListenerSettings, Settings } from './settings.ts';
import type { UserStoreSpec } from './user-store-spec.ts';

/** The sender and the recipient of a first message. The server's settings accept both. */
export interface FirstAddresses {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  readonly to: string;
}

/** The settings that decide which senders and recipients the server accepts. */
export type AddressSettings = Pick<Settings, 'hostname' | 'ownSenders' | 'recipients'>;

/**
 * Returns the demo user's password and, unless the listener is a UNIX socket, a shell line that
 * sends a first message.
 *
 * @param port The listener's real port.
 */
export function firstMessage(
  { endpoint, tls }: ListenerSettings,
  port: number,
  demoUser: DemoUser,
  { from, to }: FirstAddresses,
): string {
  const password = `The user ${demoUser.username} has the password ${demoUser.password}.`;
  if ('path' in endpoint) return `${password}\n`;
  const host = LOOPBACK.get(endpoint.host) ?? endpoint.host;
  const options = [
    formatEndpoint({ ...endpoint, host, port }),
    // The client runs on the same machine, and the certificate may be for another name.
    ...(tls === 'implicit' ? ['--insecure'] : []),
    ...(tls === 'required' ? ['--ssl-reqd', '--insecure'] : []),
    `--user '${demoUser.username}:${demoUser.password}'`,
    `--mail-from ${shellWord(from)} --mail-rcpt ${shellWord(to)} --upload-file -`,
  ];
  const line = `printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -sS ${options.join(' ')}`;
  return `${password} To send a first message, paste this:\n${line}\n`;
}

/**
 * Returns the line that says where the users are. A database does not reveal the password of an
 * earlier start.
 *
 * @param created The user that this start has created, whose password is above the line.
 */
export function usersLine({ name }: Pick<UserStoreSpec, 'name'>, created: DemoUser | undefined): string {
  const hint =
    created === undefined
      ? 'postern user list lists them, and postern user password NAME sets a password'
      : 'kept for the next start';
  return `users: ${name} (${hint})\n`;
}

/** Returns a sender and a recipient for the demo user's first message. */
export function firstAddresses(settings: AddressSettings, { username }: DemoUser): FirstAddresses {
  return { from: senderFor(settings, username), to: recipientFor(settings) };
}

/**
 * A file or a function may list no address of the demo user: the server always accepts the null
 * reverse-path.
 */
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

/** Returns the text as one word of a shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Every server accepts `postmaster`, also without a domain (RFC 5321 §4.5.1). */
const POSTMASTER = 'postmaster';

/** The loopback address at which a client reaches a listener on every address. */
const LOOPBACK: ReadonlyMap<string, string> = new Map([
  ['*', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
