import { parseMailbox } from '@postern/esmtp';
import { formatEndpoint } from '@postern/node';
import { clientHost, firstLogin, shellWord } from './first-login.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { isAccess } from './listener-url.ts';
import type { RecipientsSettings } from './recipients-settings.ts';
import type { DemoUser, Settings } from './settings.ts';
import { addressOfUser, isQualifiedDomain } from './user-addresses.ts';
import type { UserStoreSpec } from './user-store-spec.ts';

/** The sender and the recipient of a first message. The server's settings accept both. */
export interface FirstAddresses {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  readonly to: string;
  /** True if the demo user reads the recipient's mail over POP3. */
  readonly isOwn?: true;
}

/** The settings that decide which senders and recipients the server accepts. */
export type AddressSettings = Pick<
  Settings,
  'hostname' | 'ownSenders' | 'recipients' | 'recipientDelimiter' | 'listeners'
>;

/**
 * Returns the demo user's password and a shell line: it sends a first message, or logs in at an
 * auth server. There is no line for a UNIX socket of SMTP or LMTP.
 *
 * @param port The listener's real port.
 */
export function firstMessage(
  listener: ListenerSettings,
  port: number,
  demoUser: DemoUser,
  { from, to }: FirstAddresses,
): string {
  const password = `The user ${demoUser.username} has the password ${demoUser.password}.`;
  if (isAccess(listener)) {
    const login = firstLogin(listener, port, demoUser);
    return login === undefined ? `${password}\n` : `${password} ${login}`;
  }
  const options = curlOptions(listener, port, demoUser);
  if (options === undefined) return `${password}\n`;
  const message = `--mail-from ${shellWord(from)} --mail-rcpt ${shellWord(to)} --upload-file -`;
  const line = `printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -sS ${options} ${message}`;
  return `${password} To send a first message, paste this:\n${line}\n`;
}

/**
 * Returns a shell line that reads the first message over POP3; the empty string unless a POP3
 * listener has a port.
 *
 * @param ports The real ports of the listeners.
 */
export function firstReading(
  { listeners }: Pick<Settings, 'listeners'>,
  ports: readonly number[],
  demoUser: DemoUser,
): string {
  const index = listeners.findIndex(({ service, endpoint }) => service === 'pop3' && 'port' in endpoint);
  const [listener, port] = [listeners[index], ports[index]];
  if (listener === undefined || port === undefined) return '';
  const options = curlOptions(listener, port, demoUser, '/1');
  return options === undefined ? '' : `To read it over POP3:\ncurl -sS ${options}\n`;
}

/** Returns the URL, TLS and login of a client on this machine; undefined for a UNIX socket. */
function curlOptions(
  { endpoint, tls }: ListenerSettings,
  port: number,
  { username, password }: DemoUser,
  path = '',
): string | undefined {
  if ('path' in endpoint) return undefined;
  const host = clientHost(endpoint.host);
  return [
    `${formatEndpoint({ ...endpoint, host, port })}${path}`,
    // The client runs on the same machine, and the certificate may be for another name.
    ...(tls === 'implicit' ? ['--insecure'] : []),
    ...(tls === 'required' ? ['--ssl-reqd', '--insecure'] : []),
    `--user '${username}:${password}'`,
  ].join(' ');
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
  const from = senderFor(settings, username);
  const own = ownAddress(settings, username);
  return own === undefined ? { from, to: recipientFor(settings) } : { from, to: own, isOwn: true };
}

/** Returns the user's own address if the user reads its mail here and submission accepts it. */
function ownAddress(settings: AddressSettings, username: string): string | undefined {
  const { listeners, recipients } = settings;
  const reads = listeners.some(({ service }) => service === 'pop3');
  if (!reads || (recipients !== undefined && !takesAll(recipients))) return undefined;
  return qualified(addressOfUser(username, settings).toString());
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
  const { mailboxes, domains } = recipients;
  const [name = takesAll(recipients) ? 'ann' : POSTMASTER] = mailboxes ?? [];
  if (name.startsWith('@')) return `ann${name}`;
  const [domain = hostname] = domains === '*' ? ['example.com'] : (domains ?? []);
  return qualified(name) ?? qualified(`${name}@${domain}`) ?? POSTMASTER;
}

/** Returns true if every local part exists at the local domains. */
function takesAll({ mailboxes, domains, files, users, lookup }: RecipientsSettings): boolean {
  const names = mailboxes !== undefined || lookup !== undefined || users.length + files.length > 0;
  return domains !== undefined && !names;
}

/** Returns the address, unless submission refuses it for its domain (RFC 6409 §4.2). */
function qualified(address: string): string | undefined {
  const domain = parseMailbox(address)?.domain ?? '';
  return isQualifiedDomain(domain) ? address : undefined;
}

/** Every server accepts `postmaster`, also without a domain (RFC 5321 §4.5.1). */
const POSTMASTER = 'postmaster';
