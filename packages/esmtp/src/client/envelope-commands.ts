import type { MailParameters, RcptParameters } from '../delivery.ts';
import type { Mailbox, ReversePath } from '../protocol/address.ts';
import { encodeXtext, inAscii, isEnvelopeId, isOriginalRecipient } from '../protocol/xtext.ts';
import { BadMessage, Unsupported } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';

/**
 * MAIL, with what the server can use of the parameters. Throws Unsupported if it lacks what the message cannot do without, BadMessage
 * for an `envid` that is none.
 */
export function mailCommand(client: SmtpClient, from: ReversePath, parameters: Partial<MailParameters>): string {
  const { extensions } = client;
  const { size, body, smtpUtf8 = false, ret, envid } = parameters;
  const words = [`MAIL FROM:<${from === null ? '' : from.toString()}>`];
  const need = (extension: string, parameter: string): void => {
    if (!extensions.has(extension)) throw new Unsupported(extension);
    words.push(parameter);
  };
  if (envid !== undefined && !isEnvelopeId(envid)) throw new BadMessage('the envelope id is not printable, in xtext');
  if (size !== undefined && extensions.has('SIZE')) words.push(`SIZE=${size}`);
  if (body === '8BITMIME') need('8BITMIME', 'BODY=8BITMIME');
  if (body === 'BINARYMIME') {
    // Without CHUNKING there is no way to say it (RFC 3030 §3).
    if (!extensions.has('CHUNKING')) throw new Unsupported('BINARYMIME');
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

/** RCPT, with what the server can use of the parameters. Throws BadMessage for an `orcpt` that is none. */
export function rcptCommand({ extensions }: SmtpClient, to: Mailbox, { notify, orcpt }: RcptParameters): string {
  if (orcpt !== undefined && !isOriginalRecipient(orcpt)) throw new BadMessage('the original recipient is none');
  const words = [`RCPT TO:<${to.toString()}>`];
  if (extensions.has('DSN')) {
    if (notify !== undefined) words.push(`NOTIFY=${notify.toString()}`);
    if (orcpt !== undefined) words.push(`ORCPT=${extensions.has('SMTPUTF8') ? orcpt : inAscii(orcpt)}`);
  }
  return words.join(' ');
}

/**
 * Whether the server has to be told that the message may go on by TLS only (RFC 8689 §4.2.1). Throws Unsupported if there is no TLS to
 * this server, or its certificate was not verified. A notification is better sent without all that than not at all (§5).
 */
function mustRequireTls(client: SmtpClient, from: ReversePath): boolean {
  const { tls, secure } = client.channel;
  // What a server on this machine takes by LMTP goes nowhere else.
  if (client.lmtp && secure && tls === undefined) return false;
  const secured = tls?.peerCertificate?.verified === true;
  if (from === null) return secured && client.extensions.has('REQUIRETLS');
  if (!secured) throw new Unsupported('STARTTLS');
  return true;
}

/** Who submitted the message first is for servers with AUTH, and that nobody knows is for those that know us (RFC 4954 §5). */
function submitterFor(client: SmtpClient, submitter: MailParameters['auth']): string | undefined {
  if (!client.extensions.has('AUTH')) return undefined;
  if (typeof submitter === 'string') return encodeXtext(submitter);
  return client.responder === undefined ? undefined : '<>';
}
