import type { MailParameters, RcptParameters } from '../delivery.ts';
import type { Mailbox, ReversePath } from '../protocol/address.ts';
import { encodeXtext, inAscii, isEnvelopeId, isOriginalRecipient } from '../protocol/xtext.ts';
import { BadMessage, UnsupportedExtension } from './errors.ts';
import type { SmtpDialogue } from './smtp-dialogue.ts';

/**
 * Returns the MAIL command with the parameters that the server supports.
 *
 * @throws UnsupportedExtension if the message needs an extension that the server lacks, BadMessage
 * for an `envid` that is not valid
 */
export function mailCommand(client: SmtpDialogue, from: ReversePath, parameters: Partial<MailParameters>): string {
  const { extensions } = client;
  const { size, body, smtpUtf8 = false, ret, envid } = parameters;
  const words = [`MAIL FROM:<${from === null ? '' : from.toString()}>`];
  const need = (extension: string, parameter: string): void => {
    if (!extensions.has(extension)) throw new UnsupportedExtension(extension);
    words.push(parameter);
  };
  if (envid !== undefined && !isEnvelopeId(envid)) throw new BadMessage('ENVID is not printable ASCII in xtext');
  if (size !== undefined && extensions.has('SIZE')) words.push(`SIZE=${size}`);
  if (body === '8BITMIME') need('8BITMIME', 'BODY=8BITMIME');
  if (body === 'BINARYMIME') {
    // BINARYMIME needs CHUNKING (RFC 3030 §3).
    if (!extensions.has('CHUNKING')) throw new UnsupportedExtension('BINARYMIME');
    need('BINARYMIME', 'BODY=BINARYMIME');
  }
  if (smtpUtf8) need('SMTPUTF8', 'SMTPUTF8');
  if (parameters.requireTls && mustRequireTls(client, from)) need('REQUIRETLS', 'REQUIRETLS');
  if (extensions.has('DSN')) {
    if (ret !== undefined) words.push(`RET=${ret}`);
    if (envid !== undefined) words.push(`ENVID=${envid}`);
  }
  const submitter = submitterFor(client, parameters.auth);
  if (submitter !== undefined) words.push(`AUTH=${submitter}`);
  return words.join(' ');
}

/**
 * Returns the RCPT command with the parameters that the server supports.
 *
 * @throws BadMessage for an `orcpt` that is not valid
 */
export function rcptCommand({ extensions }: SmtpDialogue, to: Mailbox, { notify, orcpt }: RcptParameters): string {
  if (orcpt !== undefined && !isOriginalRecipient(orcpt))
    throw new BadMessage('ORCPT is not a valid address type and xtext');
  const words = [`RCPT TO:<${to.toString()}>`];
  if (extensions.has('DSN')) {
    if (notify !== undefined) words.push(`NOTIFY=${notify.toString()}`);
    if (orcpt !== undefined) words.push(`ORCPT=${extensions.has('SMTPUTF8') ? orcpt : inAscii(orcpt)}`);
  }
  return words.join(' ');
}

/**
 * Returns true if MAIL needs the REQUIRETLS parameter (RFC 8689 §4.2.1). A notification goes out
 * even without TLS (§5).
 *
 * @throws UnsupportedExtension if the connection has no TLS with a verified certificate
 */
function mustRequireTls(client: SmtpDialogue, from: ReversePath): boolean {
  const { tls, secure } = client.channel;
  // A message to an LMTP server on this machine leaves the machine in no way.
  if (client.lmtp && secure && tls === undefined) return false;
  const secured = tls?.peerCertificate?.verified === true;
  if (from === null) return secured && client.extensions.has('REQUIRETLS');
  if (!secured) throw new UnsupportedExtension('STARTTLS');
  return true;
}

/**
 * Returns the AUTH parameter: for servers with AUTH only, and `<>` only where this client has
 * logged in (RFC 4954 §5).
 */
function submitterFor(client: SmtpDialogue, submitter: MailParameters['auth']): string | undefined {
  if (!client.extensions.has('AUTH')) return undefined;
  if (typeof submitter === 'string') return encodeXtext(submitter);
  return client.responder === undefined ? undefined : '<>';
}
