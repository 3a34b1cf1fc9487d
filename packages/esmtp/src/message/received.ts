import type { Envelope, ReceivedTrace } from '../delivery.ts';
import { isClientName } from '../protocol/domain.ts';
import { DateCache } from './date-cache.ts';

/**
 * The `Received:` field of a message (RFC 5321 §4.4), folded, without the last line end. The recipient is named only if there is one,
 * so that nobody learns of another (§7.2); TLS by its cipher suite (RFC 8314 §4.3).
 */
export function formatReceived(trace: ReceivedTrace): string {
  const { mind, envelope, date } = trace;
  return completeReceived(beginReceived(trace), mind, envelope, new DateCache().format(date.getTime()));
}

/** Who sends, to whom, and how. */
type Way = Pick<ReceivedTrace, 'mind' | 'remoteName' | 'omitClient' | 'hostname' | 'protocol'>;

/** The field as far as it does not depend on the message. */
type Beginning = Pick<FoldedField, 'text' | 'column'>;

/** Begins the fields of one session, which nearly always begin as the last one did: then that is kept. */
export class ReceivedFieldCache {
  #name: string | undefined = undefined;
  #remoteName: string | undefined = undefined;
  #address: string | undefined = undefined;
  #protocol = '';
  #hostname = '';
  #last: Beginning | undefined = undefined;

  /** How a field begins that comes this way. */
  of(way: Way): Beginning {
    const { mind, remoteName, protocol, hostname } = way;
    const { clientName: name, remote } = mind;
    const isSameClient = name === this.#name && remoteName === this.#remoteName && remote.address === this.#address;
    const isSameServer = protocol === this.#protocol && hostname === this.#hostname;
    if (this.#last !== undefined && isSameClient && isSameServer) return this.#last;
    this.#name = name;
    this.#remoteName = remoteName;
    this.#address = remote.address;
    this.#protocol = protocol;
    this.#hostname = hostname;
    this.#last = beginReceived(way);
    return this.#last;
  }
}

function beginReceived({ mind, remoteName, omitClient, hostname, protocol }: Way): Beginning {
  const field = new FoldedField({ text: 'Received:', column: 'Received:'.length });
  if (omitClient !== true) field.add(`from ${nameOf(mind)}${tcpInfo(mind.remote, remoteName)}`);
  field.add(`by ${hostname}`);
  field.add(`with ${protocol}`);
  // Written out once: what is put together of pieces is copied piece by piece, for each message.
  return { text: Buffer.from(field.text).toString(), column: field.column };
}

/** The name that the client gave, if it may stand in a field. */
function nameOf({ clientName = '' }: ReceivedTrace['mind']): string {
  return isClientName(clientName) ? clientName : 'unknown';
}

/** The whole field, with the date in words. */
export function completeReceived(
  beginning: Beginning,
  { tls }: ReceivedTrace['mind'],
  { id, recipients }: Envelope,
  date: string,
): string {
  const field = new FoldedField(beginning);
  field.add(`id ${id}`);
  if (recipients.length === 1) field.add(`for <${recipients[0]?.forwardPath.toString()}>`);
  if (tls !== undefined) field.add(`tls ${tls.cipher.replace(/[^\w-]/g, '') || 'unknown'}`);
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
function tcpInfo({ family, address }: ReceivedTrace['mind']['remote'], name: string | undefined): string {
  if (family === 'unix') return '';
  const known = name === undefined ? '' : `${name} `;
  const bare = family === 'IPv4' ? address : address.replace(/^::ffff:(?=\d+\.)|%.*$/gi, '');
  return bare.includes(':') ? ` (${known}[IPv6:${bare}])` : ` (${known}[${bare}])`;
}

/** A header field in lines of at most 78 characters where that is possible (RFC 5322 §2.1.1). */
class FoldedField {
  text: string;
  column: number;

  constructor({ text, column }: Beginning) {
    this.text = text;
    this.column = column;
  }

  add(clause: string): void {
    // One more, for the semicolon.
    const folds = this.column + 1 + clause.length + 1 > 78;
    this.column = (folds ? 0 : this.column) + 1 + clause.length;
    this.text += folds ? `\r\n ${clause}` : ` ${clause}`;
  }
}
