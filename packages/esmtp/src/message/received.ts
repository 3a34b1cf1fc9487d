import type { Envelope, ReceivedTrace } from '../delivery.ts';
import { isClientName } from '../protocol/domain.ts';

/**
 * Returns the `Received:` field of a message (RFC 5321 §4.4), folded, without its last line end.
 * The field names the recipient only if the message has one: no recipient learns of another
 * (RFC 5321 §7.2). It names TLS by its cipher suite (RFC 8314 §4.3).
 *
 * @example
 * ```ts
 * import { formatReceived, MessageDelivery, type ReceivedTrace } from '@postern/esmtp';
 *
 * abstract class PrivateDelivery extends MessageDelivery {
 *   override receivedHeader(trace: ReceivedTrace): string {
 *     return formatReceived({ ...trace, omitClient: true });
 *   }
 * }
 * ```
 */
export function formatReceived(trace: ReceivedTrace): string {
  const { mind, envelope, date } = trace;
  return completeReceived(beginReceived(trace), mind, envelope, new DateCache().format(date.getTime()));
}

/** The part of a trace that is the same for each message of a session. */
type SessionTrace = Pick<ReceivedTrace, 'mind' | 'remoteName' | 'omitClient' | 'hostname' | 'protocol'>;

/** The first clauses of a field, which do not depend on the message. */
type BegunField = Pick<FoldedField, 'text' | 'column'>;

/**
 * Keeps the first clauses of a session's `Received:` fields: they rarely differ from one message to
 * the next.
 */
export class ReceivedFieldCache {
  #name: string | undefined = undefined;
  #remoteName: string | undefined = undefined;
  #address: string | undefined = undefined;
  #protocol = '';
  #hostname = '';
  #field: BegunField | undefined = undefined;

  /** Returns the first clauses of the field for a trace. */
  get(trace: SessionTrace): BegunField {
    const { mind, remoteName, protocol, hostname } = trace;
    const { clientName: name, remote } = mind;
    const isSameClient = name === this.#name && remoteName === this.#remoteName && remote.address === this.#address;
    const isSameServer = protocol === this.#protocol && hostname === this.#hostname;
    if (this.#field !== undefined && isSameClient && isSameServer) return this.#field;
    this.#hostname = hostname;
    this.#name = name;
    this.#remoteName = remoteName;
    this.#address = remote.address;
    this.#protocol = protocol;
    this.#field = beginReceived(trace);
    return this.#field;
  }
}

/** Returns the whole field: the first clauses, those of the message, and the date. */
export function completeReceived(
  begun: BegunField,
  { tls }: ReceivedTrace['mind'],
  { id, recipients }: Envelope,
  date: string,
): string {
  const field = new FoldedField(begun);
  field.add(`id ${id}`);
  if (recipients.length === 1) field.add(`for <${recipients[0]?.forwardPath.toString()}>`);
  if (tls !== undefined) field.add(`tls ${tls.cipher.replace(/[^\w-]/g, '') || 'unknown'}`);
  return `${field.text};\r\n ${date}`;
}

/**
 * Returns the `with` keyword of a session and a transaction (RFC 5321 §4.4, RFC 3848,
 * RFC 6531 §4.3).
 */
export function withKeyword(session: {
  lmtp: boolean;
  extended: boolean;
  smtpUtf8: boolean;
  tls: boolean;
  authenticated: boolean;
}): string {
  if (!session.extended) return 'SMTP';
  const keywords = session.lmtp ? LMTP_KEYWORDS : SMTP_KEYWORDS;
  const row = session.smtpUtf8 ? keywords.utf8 : keywords.ascii;
  if (session.tls) return session.authenticated ? row[3] : row[2];
  return session.authenticated ? row[1] : row[0];
}

/**
 * Formats dates as RFC 5322 §3.3 writes them, in UTC. Keeps the text of the last second: a busy
 * server asks for it often.
 */
export class DateCache {
  #second = Number.NaN;
  #text = '';

  /** @param time Milliseconds since 1970. */
  format(time: number): string {
    const second = Math.floor(time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(time).toUTCString().replace('GMT', '+0000');
    }
    return this.#text;
  }
}

function beginReceived({ mind, remoteName, omitClient, hostname, protocol }: SessionTrace): BegunField {
  const field = new FoldedField({ text: 'Received:', column: 'Received:'.length });
  if (omitClient !== true) field.add(`from ${clientName(mind)}${tcpInfo(mind.remote, remoteName)}`);
  field.add(`by ${hostname}`);
  field.add(`with ${protocol}`);
  // One flat string: V8 would copy a concatenation part by part, for each message.
  return { text: Buffer.from(field.text).toString(), column: field.column };
}

function clientName({ clientName: name = '' }: ReceivedTrace['mind']): string {
  return isClientName(name) ? name : 'unknown';
}

/**
 * Returns the peer's address as TCP-info, with its host name if that is known; an empty text for a
 * UNIX socket.
 */
function tcpInfo({ family, address }: ReceivedTrace['mind']['remote'], remoteName: string | undefined): string {
  if (family === 'unix') return '';
  const host = remoteName === undefined ? '' : `${remoteName} `;
  const bare = family === 'IPv4' ? address : address.replace(/^::ffff:(?=\d+\.)|%.*$/gi, '');
  return bare.includes(':') ? ` (${host}[IPv6:${bare}])` : ` (${host}[${bare}])`;
}

/**
 * A header field in lines of at most 78 characters, if its clauses allow that (RFC 5322 §2.1.1).
 */
class FoldedField {
  text: string;
  /** The length of the last line. */
  column: number;

  constructor({ text, column }: BegunField) {
    this.text = text;
    this.column = column;
  }

  add(clause: string): void {
    // A blank before the clause, and room for a semicolon behind it.
    const folds = this.column + 1 + clause.length + 1 > MAX_LINE_CHARACTERS;
    this.column = (folds ? 0 : this.column) + 1 + clause.length;
    this.text += folds ? `\r\n ${clause}` : ` ${clause}`;
  }
}

const MAX_LINE_CHARACTERS = 78;
/** In each row: the keyword, with AUTH, with TLS, and with both. */
const SMTP_KEYWORDS = {
  ascii: ['ESMTP', 'ESMTPA', 'ESMTPS', 'ESMTPSA'],
  utf8: ['UTF8SMTP', 'UTF8SMTPA', 'UTF8SMTPS', 'UTF8SMTPSA'],
} as const;
const LMTP_KEYWORDS = {
  ascii: ['LMTP', 'LMTPA', 'LMTPS', 'LMTPSA'],
  utf8: ['UTF8LMTP', 'UTF8LMTPA', 'UTF8LMTPS', 'UTF8LMTPSA'],
} as const;
