import { isAddressLiteral, isDomain } from './address.ts';
import { DateFormat } from './date-format.ts';
import type { Trace } from './delivery.ts';

/**
 * The `Received:` field of a message (RFC 5321 §4.4), folded, without the last line end. The recipient is named only if there is one,
 * so that nobody learns of another (§7.2); TLS by its cipher suite (RFC 8314 §4.3).
 */
export function formatReceived(trace: Trace): string {
  return receivedAt(trace, new DateFormat().format(trace.date));
}

/** The same, with the date in words. */
export function receivedAt({ mind, remoteName, hostname, protocol, envelope }: Trace, date: string): string {
  const client = mind.clientName ?? '';
  const name = isDomain(client) || isAddressLiteral(client) ? client : 'unknown';
  const { recipients } = envelope;
  const field = new FoldedField('Received:');
  field.add(`from ${name}${tcpInfo(mind.remote, remoteName)}`);
  field.add(`by ${hostname}`);
  field.add(`with ${protocol}`);
  field.add(`id ${envelope.id}`);
  if (recipients.length === 1) field.add(`for <${recipients[0]?.forwardPath.toString()}>`);
  if (mind.tls !== undefined) field.add(`tls ${mind.tls.cipher.replace(/[^\w-]/g, '') || 'unknown'}`);
  return `${field.text};\r\n ${date}`;
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

/** A header field in lines of at most 78 characters where that is possible (RFC 5322 §2.1.1). */
class FoldedField {
  text: string;
  #column: number;

  constructor(name: string) {
    this.text = name;
    this.#column = name.length;
  }

  add(clause: string): void {
    // One more, for the semicolon.
    const folds = this.#column + 1 + clause.length + 1 > 78;
    this.#column = (folds ? 0 : this.#column) + 1 + clause.length;
    this.text += folds ? `\r\n ${clause}` : ` ${clause}`;
  }
}
