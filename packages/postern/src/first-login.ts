import { formatEndpoint } from '@postern/node';
import type { AccessListenerSettings } from './listener-settings.ts';
import type { DemoUser } from './settings.ts';

/**
 * Returns a sentence with shell lines that log the demo user in at an auth server; undefined for a
 * listener without such a line.
 *
 * @param port The listener's real port.
 */
export function firstLogin(listener: AccessListenerSettings, port: number, demoUser: DemoUser): string | undefined {
  const { endpoint, nginxSecret, service, tls } = listener;
  const { username, password } = demoUser;
  const isUnix = 'path' in endpoint;
  if (service === 'dovecot-auth') {
    const path = isUnix ? endpoint.path : `inet:${clientHost(endpoint.host)}:${port}`;
    return `To log in through Postfix, paste this as root:\npostconf smtpd_sasl_auth_enable=yes smtpd_sasl_type=dovecot ${shellWord(`smtpd_sasl_path=${path}`)} && postfix reload\n`;
  }
  if (service === 'saslauthd' && isUnix) {
    return `To log in, paste this:\ntestsaslauthd -f ${shellWord(endpoint.path)} -u ${username} -p '${password}'\n`;
  }
  // The command prints no secret of the operator.
  if (service !== 'http' || nginxSecret !== undefined) return undefined;
  const scheme = tls === 'implicit' ? 'https' : 'http';
  const base = isUnix
    ? `--unix-socket ${shellWord(endpoint.path)} ${scheme}://localhost`
    : formatEndpoint({ ...endpoint, host: clientHost(endpoint.host), port });
  const insecure = tls === 'implicit' ? '--insecure ' : '';
  return `To log in, paste this:\ncurl -sSi ${insecure}--user '${username}:${password}' ${base}/nginx/request\n`;
}

/** Returns the address at which a client on this machine reaches a listener. */
export function clientHost(host: string): string {
  return LOOPBACK.get(host) ?? host;
}

/** Returns the text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The loopback address at which a client reaches a listener on every address. */
const LOOPBACK: ReadonlyMap<string, string> = new Map([
  ['*', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
