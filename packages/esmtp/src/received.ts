import { isAddressLiteral, isDomain } from './address.ts';
import type { Trace } from './delivery.ts';

/**
 * The `Received:` field of a message (RFC 5321 §4.4), folded, without the last line end. The recipient is named only if there is one,
 * so that nobody learns of another (§7.2); TLS by its cipher suite (RFC 8314 §4.3).
 */
export function formatReceived({ mind, remoteName, hostname, protocol, envelope, date }: Trace): string {
  const client = mind.clientName ?? '';
  const name = isDomain(client) || isAddressLiteral(client) ? client : 'unknown';
  const [only, ...others] = envelope.recipients;
  const clauses = [
    `from ${name}${tcpInfo(mind.remote, remoteName)}`,
    `by ${hostname}`,
    `with ${protocol}`,
    `id ${envelope.id}`,
    only === undefined || others.length > 0 ? '' : `for <${only.forwardPath.toString()}>`,
    mind.tls === undefined ? '' : `tls ${mind.tls.cipher.replace(/[^\w-]/g, '') || 'unknown'}`,
  ];
  return `${fold(clauses)};\r\n ${formatDate(date)}`;
}

/** The "with" keyword of a session and a transaction (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3). */
export function withKeyword(facts: {
  lmtp: boolean;
  extended: boolean;
  smtpUtf8: boolean;
  tls: boolean;
  authenticated: boolean;
}): string {
  if (!facts.extended) return 'SMTP';
  const utf8 = facts.smtpUtf8 ? 'UTF8' : '';
  const protocol = facts.lmtp ? 'LMTP' : facts.smtpUtf8 ? 'SMTP' : 'ESMTP';
  return `${utf8}${protocol}${facts.tls ? 'S' : ''}${facts.authenticated ? 'A' : ''}`;
}

/** The peer's address as TCP-info, with its name if that is known; a UNIX socket has none. */
function tcpInfo({ family, address }: Trace['mind']['remote'], name: string | undefined): string {
  if (family === 'unix') return '';
  const known = name === undefined ? '' : `${name} `;
  const bare = family === 'IPv4' ? address : address.replace(/^::ffff:(?=\d+\.)|%.*$/gi, '');
  return bare.includes(':') ? ` (${known}[IPv6:${bare}])` : ` (${known}[${bare}])`;
}

/** The date and time as RFC 5322 §3.3 writes it, in UTC. By hand, for `toUTCString` takes as long as all the rest of the field. */
export function formatDate(date: Date): string {
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

/** The clauses after the field's name, in lines of at most 78 characters where that is possible (RFC 5322 §2.1.1). */
function fold(clauses: readonly string[]): string {
  let text = 'Received:';
  let column = text.length;
  for (const clause of clauses) {
    if (clause === '') continue;
    // One more, for the semicolon.
    if (column + 1 + clause.length + 1 > 78) {
      text += '\r\n';
      column = 0;
    }
    text += ` ${clause}`;
    column += 1 + clause.length;
  }
  return text;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
