import { formatEndpoint } from '@postern/node';
import type { FirstAddresses } from './first-addresses.ts';
import type { DemoUser, ListenerSettings } from './settings.ts';

/**
 * Returns how to send a first message as the guest: a sentence and, for a listener that a command can be pointed at,
 * a line for a shell. The port is the listener's real one.
 */
export function firstMessage(
  { endpoint, tls }: ListenerSettings,
  port: number,
  guest: DemoUser,
  { from, to }: FirstAddresses,
): string {
  const password = `The user ${guest.username} has the password ${guest.password}.`;
  if ('path' in endpoint) return `${password}\n`;
  const host = LOOPBACK.get(endpoint.host) ?? endpoint.host;
  const options = [
    formatEndpoint({ ...endpoint, host, port }),
    // The certificate is the operator's own affair, and this is a rehearsal.
    ...(tls === 'implicit' ? ['--insecure'] : []),
    ...(tls === 'required' ? ['--ssl-reqd', '--insecure'] : []),
    `--user '${guest.username}:${guest.password}'`,
    `--mail-from ${shellWord(from)} --mail-rcpt ${shellWord(to)} --upload-file -`,
  ];
  const line = `printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -sS ${options.join(' ')}`;
  return `${password} To send a first message, paste this:\n${line}\n`;
}

/** Returns the text as one word of a shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Where a listener on every address can be reached from here. */
const LOOPBACK: ReadonlyMap<string, string> = new Map([
  ['*', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
