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
  const { envelope, date } = trace;
  return completeReceived(beginReceived(trace), envelope, new DateCache().format(date.getTime()));
}

/** The part of a trace that is the same for each message of a session. */
type SessionTrace = Pick<ReceivedTrace, 'mind' | 'remoteName' | 'omitClient' | 'hostname' | 'protocol'>;

/** The parts of a field that do not depend on the message. */
interface BegunField {
  /** The first clauses. */
  readonly text: string;
  /** The same clauses as octets. */
  readonly octets: Buffer;
  /** The length of the last line of these clauses. */
  readonly column: number;
  /** The cipher suite of TLS; undefined without TLS. */
  readonly cipher: string | undefined;
}

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
  #cipher: string | undefined = undefined;
  #field: BegunField | undefined = undefined;

  /** Returns the first clauses of the field for a trace. */
  get(trace: SessionTrace): BegunField {
    const { mind, remoteName, protocol, hostname } = trace;
    const { clientName: name, remote } = mind;
    const isSameClient = name === this.#name && remoteName === this.#remoteName && remote.address === this.#address;
    const cipher = mind.tls?.cipher;
    const isSameServer = protocol === this.#protocol && hostname === this.#hostname && cipher === this.#cipher;
    if (this.#field !== undefined && isSameClient && isSameServer) return this.#field;
    this.#hostname = hostname;
    this.#name = name;
    this.#remoteName = remoteName;
    this.#address = remote.address;
    this.#protocol = protocol;
    this.#cipher = cipher;
    this.#field = beginReceived(trace);
    return this.#field;
  }
}

/** Returns the whole field: the first clauses, those of the message, and the date. */
function completeReceived(begun: BegunField, { id, recipients }: Envelope, date: string): string {
  const field = new FoldedField(begun);
  field.add(`id ${id}`);
  if (recipients.length === 1) field.add(`for <${recipients[0]?.forwardPath.toString()}>`);
  if (begun.cipher !== undefined) field.add(`tls ${begun.cipher}`);
  return `${field.text};\r\n ${date}`;
}

/**
 * Returns the octets of the whole field with its line end. Text of ASCII is written octet by octet:
 * to join the parts to one string and to encode that takes four times as long.
 */
export function receivedOctets(begun: BegunField, envelope: Envelope, date: string): Buffer {
  const { id, recipients } = envelope;
  const path = recipients.length === 1 ? recipients[0]?.forwardPath : undefined;
  if (path?.isAscii === false) return Buffer.from(`${completeReceived(begun, envelope, date)}\r\n`);
  const { cipher } = begun;
  const address = path?.toString() ?? '';
  const capacity = id.length + address.length + (cipher?.length ?? 0) + date.length + MAX_SEPARATOR_OCTETS;
  const field = new FieldOctets(begun, capacity);
  field.add('id ', id, '');
  if (path !== undefined) field.add('for <', address, '>');
  if (cipher !== undefined) field.add('tls ', cipher, '');
  return field.end(date);
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
  const octets = Buffer.from(field.text);
  return { text: octets.toString(), octets, column: field.column, cipher: cipherOf(mind) };
}

/** Returns the name without the characters that a comment in the field may not hold. */
function cipherOf({ tls }: ReceivedTrace['mind']): string | undefined {
  return tls === undefined ? undefined : tls.cipher.replace(/[^\w-]/g, '') || 'unknown';
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

  constructor({ text, column }: Pick<BegunField, 'text' | 'column'>) {
    this.text = text;
    this.column = column;
  }

  add(clause: string): void {
    const folds = exceedsLine(this.column, clause.length);
    this.column = (folds ? 0 : this.column) + 1 + clause.length;
    this.text += folds ? `\r\n ${clause}` : ` ${clause}`;
  }
}

/** Writes a field as {@link FoldedField} does, in ASCII, into a buffer. */
class FieldOctets {
  readonly #octets: Buffer;
  #length: number;
  #column: number;

  /** @param capacity The most octets behind the first clauses. */
  constructor({ octets, column }: BegunField, capacity: number) {
    this.#octets = Buffer.allocUnsafe(octets.length + capacity);
    this.#octets.set(octets);
    this.#length = octets.length;
    this.#column = column;
  }

  /** Adds a clause, in three parts. */
  add(before: string, text: string, after: string): void {
    const length = before.length + text.length + after.length;
    const folds = exceedsLine(this.#column, length);
    this.#column = (folds ? 0 : this.#column) + 1 + length;
    this.#write(folds ? '\r\n ' : ' ');
    this.#write(before);
    this.#write(text);
    this.#write(after);
  }

  /** Adds the date and the line end. Returns the field. */
  end(date: string): Buffer {
    this.#write(';\r\n ');
    this.#write(date);
    this.#write('\r\n');
    return this.#octets.subarray(0, this.#length);
  }

  #write(text: string): void {
    const octets = this.#octets;
    let length = this.#length;
    for (let index = 0; index < text.length; index++) octets[length++] = text.charCodeAt(index);
    this.#length = length;
  }
}

/** Returns true for a clause that the line has no room for, with a blank and a semicolon. */
function exceedsLine(column: number, length: number): boolean {
  return column + 1 + length + 1 > MAX_LINE_CHARACTERS;
}

const MAX_LINE_CHARACTERS = 78;
/** More than the octets of all names, brackets and folds behind the first clauses. */
const MAX_SEPARATOR_OCTETS = 40;
/** In each row: the keyword, with AUTH, with TLS, and with both. */
const SMTP_KEYWORDS = {
  ascii: ['ESMTP', 'ESMTPA', 'ESMTPS', 'ESMTPSA'],
  utf8: ['UTF8SMTP', 'UTF8SMTPA', 'UTF8SMTPS', 'UTF8SMTPSA'],
} as const;
const LMTP_KEYWORDS = {
  ascii: ['LMTP', 'LMTPA', 'LMTPS', 'LMTPSA'],
  utf8: ['UTF8LMTP', 'UTF8LMTPA', 'UTF8LMTPS', 'UTF8LMTPSA'],
} as const;
