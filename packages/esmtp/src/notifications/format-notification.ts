import { isAscii, isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Envelope, Recipient } from '../delivery.ts';
import { DateCache } from '../message/received.ts';
import type { Reply } from '../protocol/reply.ts';
import { decodeXtext, inAscii, inUtf8, isEnvelopeId, isOriginalRecipient } from '../protocol/xtext.ts';

/** The outcome of a message for one recipient. */
export interface Outcome {
  readonly recipient: Recipient;
  readonly action: 'failed' | 'delivered' | 'relayed';
  /** The reply to the message for this recipient, if there is one. */
  readonly reply: Reply | undefined;
  /** The next server that sent the reply; undefined for a reply of this server. */
  readonly host: string | undefined;
}

/** The content of a notification. */
export interface Report {
  /** This server's name. */
  readonly hostname: string;
  /** The envelope of the message. Its reverse-path is not null. */
  readonly envelope: Envelope;
  /** The time at which the message arrived, in milliseconds since 1970. */
  readonly arrived: number;
  /** The time of the notification, in milliseconds since 1970. */
  readonly now: number;
  /** At least one. */
  readonly outcomes: readonly Outcome[];
  /** The header of the message, or the whole message, to return to the sender. */
  readonly returned: { readonly header: Buffer; readonly message?: Buffer | undefined };
}

/** A message that reports the outcomes of another message. */
export interface Notification {
  /** The id of the notification: letters and digits. */
  readonly id: string;
  /** True if the content has UTF-8 that only SMTPUTF8 allows. */
  readonly smtpUtf8: boolean;
  readonly content: Buffer;
}

/**
 * Returns a delivery status notification (RFC 3464). It has UTF-8 if an address or the returned
 * content has some (RFC 6533). The notification is well formed, whatever the report has: its lines
 * end with CRLF and have at most 998 octets, and no text of the report can begin a line.
 */
export function formatNotification(report: Report): Notification {
  const { envelope, hostname, outcomes, now } = report;
  const id = randomBytes(12).toString('hex');
  const smtpUtf8 = needsUtf8(report);
  const parts = [explanation(report, smtpUtf8), statusOf(report, smtpUtf8), returnedPart(report, smtpUtf8)]
    .filter((part) => part !== undefined)
    .map(formatPart);
  const boundary = boundaryFor(parts);
  const failed = outcomes.some(({ action }) => action === 'failed');
  const header = [
    line(`From: Mail Delivery System <postmaster@${hostname}>`),
    line(`To: <${envelope.reversePath?.toString()}>`),
    `Subject: Delivery status notification (${failed ? 'failure' : 'success'})`,
    `Date: ${new DateCache().format(now)}`,
    line(`Message-ID: <${id}@${hostname}>`),
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
    `Content-Transfer-Encoding: ${parts.every(isAscii) ? '7bit' : '8bit'}`,
  ];
  const pieces = parts.flatMap((part) => [Buffer.from(`\r\n--${boundary}\r\n`), part]);
  const content = Buffer.concat([octetsOf(text(header), smtpUtf8), ...pieces, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { id, smtpUtf8, content };
}

interface Part {
  readonly type: string;
  readonly body: Buffer;
  /** Default: 7bit or 8bit, as the body is. */
  readonly encoding?: 'quoted-printable';
}

function formatPart({ type, body, encoding }: Part): Buffer {
  const field = `Content-Transfer-Encoding: ${encoding ?? (isAscii(body) ? '7bit' : '8bit')}`;
  return Buffer.concat([Buffer.from(text([`Content-Type: ${type}`, field, ''])), body]);
}

/** The part for people. */
function explanation({ hostname, outcomes }: Report, utf8: boolean): Part {
  const lines = [`This is the mail server ${hostname}.`, ''];
  for (const [action, sentence] of SENTENCES) {
    const ofAction = outcomes.filter((outcome) => outcome.action === action);
    if (ofAction.length > 0) lines.push(sentence, '');
    for (const { recipient, reply } of ofAction) {
      lines.push(`  <${recipient.forwardPath.toString()}>`);
      if (action === 'failed') lines.push(...replyLines(reply).map((text) => `    ${text}`));
    }
    if (ofAction.length > 0) lines.push('');
  }
  const body = octetsOf(text(lines.map(line)), utf8);
  return { type: `text/plain; charset=${isAscii(body) ? 'us-ascii' : 'utf-8'}`, body };
}

/** The part for programs (RFC 3464 §2). */
function statusOf({ hostname, envelope, arrived, outcomes }: Report, utf8: boolean): Part {
  const { envid } = envelope.parameters;
  const ofMessage = [
    ...field('Original-Envelope-Id', envid !== undefined && isEnvelopeId(envid) ? decodeXtext(envid) : undefined),
    // RFC 3461 §6.3: only a name that can be looked up is of type dns.
    ...field('Reporting-MTA', `${DNS_NAME.test(hostname) ? 'dns' : 'x-local-hostname'}; ${hostname}`),
    ...field('Arrival-Date', new DateCache().format(arrived)),
  ];
  const ofRecipients = outcomes.map(({ recipient, action, reply, host }) => [
    ...field('Original-Recipient', originalRecipient(recipient, utf8)),
    ...field('Final-Recipient', finalRecipient(recipient)),
    ...field('Action', action),
    ...field('Status', reply?.enhanced ?? `${Math.floor((reply?.code ?? 250) / 100)}.0.0`),
    ...field('Remote-MTA', host === undefined ? undefined : `dns; ${host}`),
    ...(reply === undefined ? [] : [`Diagnostic-Code: smtp; ${replyLines(reply).map(line).join('\r\n ')}`]),
  ]);
  const body = octetsOf([ofMessage, ...ofRecipients].map(text).join('\r\n'), utf8);
  return { type: isAscii(body) ? 'message/delivery-status' : 'message/global-delivery-status', body };
}

/** The message or its header; encoded if the notification cannot hold it as it is. */
function returnedPart({ outcomes, returned: { header, message } }: Report, utf8: boolean): Part | undefined {
  const allows = (octets: Buffer) => isAscii(octets) || (utf8 && isUtf8(octets));
  // RFC 3461 §6.2: only a failure returns the whole message.
  const failed = outcomes.some(({ action }) => action === 'failed');
  if (failed && message !== undefined && allows(header) && isInLines(message)) {
    return { type: isAscii(header) ? 'message/rfc822' : 'message/global', body: message };
  }
  if (header.length === 0) return undefined;
  if (allows(header) && isInLines(header)) {
    return { type: isAscii(header) ? 'text/rfc822-headers' : 'message/global-headers', body: header };
  }
  return { type: 'text/rfc822-headers', body: quotedPrintable(header), encoding: 'quoted-printable' };
}

function needsUtf8({ envelope, outcomes, returned: { header } }: Report): boolean {
  const addresses = [envelope.reversePath, ...outcomes.map(({ recipient }) => recipient.forwardPath)];
  if (addresses.some((address) => address?.isAscii === false)) return true;
  return envelope.parameters.smtpUtf8 && !isAscii(header) && isUtf8(header);
}

/** Returns a boundary that occurs in no part. */
function boundaryFor(parts: readonly Buffer[]): string {
  const boundary = randomBytes(18).toString('hex');
  return parts.some((part) => part.includes(boundary)) ? boundaryFor(parts) : boundary;
}

/**
 * Returns no field for a value that does not fit into a line: half an address is the address of
 * another mailbox.
 */
function field(name: string, value: string | undefined): readonly string[] {
  if (value === undefined || Buffer.byteLength(value) > MAX_TEXT_OCTETS) return [];
  return [line(`${name}: ${value}`)];
}

/** RFC 3461 §6.3 (d). */
function originalRecipient({ parameters: { orcpt } }: Recipient, utf8: boolean): string | undefined {
  if (orcpt === undefined || !isOriginalRecipient(orcpt)) return undefined;
  if (/^utf-8;/i.test(orcpt)) return utf8 ? inUtf8(orcpt) : inAscii(orcpt);
  const address = orcpt.indexOf(';') + 1;
  return orcpt.slice(0, address) + decodeXtext(orcpt.slice(address));
}

function finalRecipient({ forwardPath }: Recipient): string {
  return `${forwardPath.isAscii ? 'rfc822' : 'utf-8'};${forwardPath.toString()}`;
}

/** Returns the first lines of a reply, with their codes. */
function replyLines(reply: Reply | undefined): readonly string[] {
  return reply === undefined ? [] : reply.toString().trimEnd().split('\r\n').slice(0, MAX_REPLY_LINES);
}

/** Replaces control characters, so that a text cannot end its line, and cuts the text. */
function line(content: string): string {
  return Buffer.from(content.replace(CONTROLS, '?')).subarray(0, MAX_TEXT_OCTETS).toString();
}

function text(lines: readonly string[]): string {
  return lines.map((content) => `${content}\r\n`).join('');
}

function octetsOf(content: string, utf8: boolean): Buffer {
  return Buffer.from(utf8 ? content : content.replace(/[^\0-\x7f]/g, '?'));
}

/**
 * Returns true if SMTP can send the octets as they are: only CRLF ends lines, and no line is too
 * long (RFC 5321 §4.5.3.1.6).
 */
function isInLines(octets: Buffer): boolean {
  const lines = octets.toString('latin1').split('\r\n');
  return lines.every((content) => content.length <= MAX_LINE_OCTETS && !/[\0\r\n]/.test(content));
}

/** Encodes octets as quoted-printable (RFC 2045 §6.7). */
function quotedPrintable(octets: Buffer): Buffer {
  const lines = octets.toString('latin1').split('\r\n');
  const encoded = lines.map((content) => {
    const quoted = content.replace(/[^\t -<>-~]|[\t ]$/g, (octet) => {
      return `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
    // The look-behind keeps `=` and its two digits on one line.
    return (quoted.match(/.{1,75}(?<!=|=.)/g) ?? []).join('=\r\n');
  });
  return Buffer.from(encoded.join('\r\n'));
}

const SENTENCES = [
  ['failed', 'Your message could not be delivered to these recipients, and will not be tried again:'],
  ['delivered', 'Your message has been delivered to these recipients:'],
  [
    'relayed',
    'Your message has been passed on for these recipients, to a server that may not tell what becomes of it:',
  ],
] as const;

const DNS_NAME = /^[^[]+\../;
/** The characters that a line must not have. */
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g;
/** Leaves room on a line for the text before a value. */
const MAX_TEXT_OCTETS = 900;
/** RFC 5321 §4.5.3.1.6: without the CRLF. */
const MAX_LINE_OCTETS = 998;
const MAX_REPLY_LINES = 5;
