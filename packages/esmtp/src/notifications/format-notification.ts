import { isAscii, isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Envelope, Recipient } from '../delivery.ts';
import { DateCache } from '../message/received.ts';
import type { Reply } from '../protocol/reply.ts';
import { decodeXtext, inAscii, inUtf8, isEnvelopeId, isOriginalRecipient } from '../protocol/xtext.ts';

/** What became of a message for one recipient. */
export interface Outcome {
  readonly recipient: Recipient;
  readonly action: 'failed' | 'delivered' | 'relayed';
  /** What was said of it, if anything was. */
  readonly reply: Reply | undefined;
  /** Who said that, if it was another server. */
  readonly host: string | undefined;
}

/** What the sender of a message is told. */
export interface Report {
  /** This server's name. */
  readonly hostname: string;
  /** The message's; it has a reverse-path. */
  readonly envelope: Envelope;
  /** When it came; in milliseconds since 1970, as all times here. */
  readonly arrived: number;
  readonly now: number;
  /** At least one. */
  readonly outcomes: readonly Outcome[];
  /** The fields of its header, which the sender gets back, or all of the message. */
  readonly returned: { readonly header: Buffer; readonly message?: Buffer | undefined };
}

/** A message that tells what became of another one. */
export interface Notification {
  /** Letters and digits. */
  readonly id: string;
  /** True if it has UTF-8 where only SMTPUTF8 allows it. */
  readonly smtpUtf8: boolean;
  readonly content: Buffer;
}

/**
 * A delivery status notification (RFC 3464), with UTF-8 where an address or what is returned has some (RFC 6533). Whatever is in the
 * report, it is well formed: its lines end with CRLF, have 998 octets at most, and are ours.
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
  /** By default as the body is. */
  readonly encoding?: 'quoted-printable';
}

function formatPart({ type, body, encoding }: Part): Buffer {
  const field = `Content-Transfer-Encoding: ${encoding ?? (isAscii(body) ? '7bit' : '8bit')}`;
  return Buffer.concat([Buffer.from(text([`Content-Type: ${type}`, field, ''])), body]);
}

/** In words. */
function explanation({ hostname, outcomes }: Report, utf8: boolean): Part {
  const lines = [`This is the mail server ${hostname}.`, ''];
  for (const [action, sentence] of SENTENCES) {
    const those = outcomes.filter((outcome) => outcome.action === action);
    if (those.length > 0) lines.push(sentence, '');
    for (const { recipient, reply } of those) {
      lines.push(`  <${recipient.forwardPath.toString()}>`);
      if (action === 'failed') lines.push(...said(reply).map((words) => `    ${words}`));
    }
    if (those.length > 0) lines.push('');
  }
  const body = octetsOf(text(lines.map(line)), utf8);
  return { type: `text/plain; charset=${isAscii(body) ? 'us-ascii' : 'utf-8'}`, body };
}

/** For programs (RFC 3464 §2). */
function statusOf({ hostname, envelope, arrived, outcomes }: Report, utf8: boolean): Part {
  const { envid } = envelope.parameters;
  const ofMessage = [
    ...field('Original-Envelope-Id', envid !== undefined && isEnvelopeId(envid) ? decodeXtext(envid) : undefined),
    // RFC 3461 §6.3: what cannot be looked up is no name in the DNS.
    ...field('Reporting-MTA', `${LOOKED_UP.test(hostname) ? 'dns' : 'x-local-hostname'}; ${hostname}`),
    ...field('Arrival-Date', new DateCache().format(arrived)),
  ];
  const ofRecipients = outcomes.map(({ recipient, action, reply, host }) => [
    ...field('Original-Recipient', originalRecipient(recipient, utf8)),
    ...field('Final-Recipient', finalRecipient(recipient)),
    ...field('Action', action),
    ...field('Status', reply?.enhanced ?? `${Math.floor((reply?.code ?? 250) / 100)}.0.0`),
    ...field('Remote-MTA', host === undefined ? undefined : `dns; ${host}`),
    ...(reply === undefined ? [] : [`Diagnostic-Code: smtp; ${said(reply).map(line).join('\r\n ')}`]),
  ]);
  const body = octetsOf([ofMessage, ...ofRecipients].map(text).join('\r\n'), utf8);
  return { type: isAscii(body) ? 'message/delivery-status' : 'message/global-delivery-status', body };
}

/** The message, or its header: where that may not stand as it is, encoded. */
function returnedPart({ outcomes, returned: { header, message } }: Report, utf8: boolean): Part | undefined {
  const takes = (octets: Buffer) => isAscii(octets) || (utf8 && isUtf8(octets));
  // RFC 3461 §6.2: only for failures.
  const failed = outcomes.some(({ action }) => action === 'failed');
  if (failed && message !== undefined && takes(header) && isInLines(message)) {
    return { type: isAscii(header) ? 'message/rfc822' : 'message/global', body: message };
  }
  if (header.length === 0) return undefined;
  if (takes(header) && isInLines(header)) {
    return { type: isAscii(header) ? 'text/rfc822-headers' : 'message/global-headers', body: header };
  }
  return { type: 'text/rfc822-headers', body: quotedPrintable(header), encoding: 'quoted-printable' };
}

function needsUtf8({ envelope, outcomes, returned: { header } }: Report): boolean {
  const addresses = [envelope.reversePath, ...outcomes.map(({ recipient }) => recipient.forwardPath)];
  if (addresses.some((address) => address?.isAscii === false)) return true;
  return envelope.parameters.smtpUtf8 && !isAscii(header) && isUtf8(header);
}

/** One that is in none of the parts. */
function boundaryFor(parts: readonly Buffer[]): string {
  const boundary = randomBytes(18).toString('hex');
  return parts.some((part) => part.includes(boundary)) ? boundaryFor(parts) : boundary;
}

/** The field, if there is a value and it fits into a line: half an address is somebody else's. */
function field(name: string, value: string | undefined): readonly string[] {
  if (value === undefined || Buffer.byteLength(value) > LONGEST_LINE) return [];
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

/** The lines of a reply with their codes, not too many. */
function said(reply: Reply | undefined): readonly string[] {
  return reply === undefined ? [] : reply.toString().trimEnd().split('\r\n').slice(0, MOST_LINES);
}

/** A line that ends nowhere but at its end. */
function line(words: string): string {
  return Buffer.from(words.replace(CONTROLS, '?')).subarray(0, LONGEST_LINE).toString();
}

function text(lines: readonly string[]): string {
  return lines.map((one) => `${one}\r\n`).join('');
}

function octetsOf(words: string, utf8: boolean): Buffer {
  return Buffer.from(utf8 ? words : words.replace(/[^\0-\x7f]/g, '?'));
}

/** True for what goes by SMTP as it is: CRLF and nothing else ends lines, and none is too long (RFC 5321 §4.5.3.1.6). */
function isInLines(octets: Buffer): boolean {
  const lines = octets.toString('latin1').split('\r\n');
  return lines.every((one) => one.length <= 998 && !/[\0\r\n]/.test(one));
}

/** RFC 2045 §6.7. */
function quotedPrintable(octets: Buffer): Buffer {
  const lines = octets.toString('latin1').split('\r\n');
  const encoded = lines.map((one) => {
    const quoted = one.replace(/[^\t -<>-~]|[\t ]$/g, (octet) => {
      return `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
    // Not in the middle of an octet.
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

const LOOKED_UP = /^[^[]+\../;
/** What a line may not have in it. */
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g;
/** Octets, which leave room for what stands before. */
const LONGEST_LINE = 900;
/** Of a reply. */
const MOST_LINES = 5;
