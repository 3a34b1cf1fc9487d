import type { Mailbox, ReversePath } from '../address.ts';
import type { MailParameters, RcptParameters } from '../delivery.ts';
import { Unsupported } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';

/** MAIL, with what the server can use of the parameters. Throws Unsupported if it lacks what the message cannot do without. */
export function mailCommand(client: SmtpClient, from: ReversePath, parameters: Partial<MailParameters>): string {
  const { extensions } = client;
  const { size, body, smtpUtf8 = false } = parameters;
  const words = [`MAIL FROM:<${from === null ? '' : from.toString()}>`];
  const need = (extension: string, parameter: string): void => {
    if (!extensions.has(extension)) throw new Unsupported(extension);
    words.push(parameter);
  };
  if (size !== undefined && extensions.has('SIZE')) words.push(`SIZE=${size}`);
  if (body === '8BITMIME') need('8BITMIME', 'BODY=8BITMIME');
  if (body === 'BINARYMIME') {
    // Without CHUNKING there is no way to say it (RFC 3030 §3).
    if (!extensions.has('CHUNKING')) throw new Unsupported('BINARYMIME');
    need('BINARYMIME', 'BODY=BINARYMIME');
  }
  if (smtpUtf8) need('SMTPUTF8', 'SMTPUTF8');
  const submitter = submitterFor(client, parameters.auth);
  if (submitter !== undefined) words.push(`AUTH=${submitter}`);
  return words.join(' ');
}

/** RCPT, with what the server can use of the parameters. */
export function rcptCommand(_client: SmtpClient, to: Mailbox, _parameters: RcptParameters): string {
  return `RCPT TO:<${to.toString()}>`;
}

/** Who submitted the message first is for servers with AUTH, and that nobody knows is for those that know us (RFC 4954 §5). */
function submitterFor(client: SmtpClient, submitter: MailParameters['auth']): string | undefined {
  if (!client.extensions.has('AUTH')) return undefined;
  if (typeof submitter === 'string') return encodeXtext(submitter);
  return client.responder === undefined ? undefined : '<>';
}

/** The text as xtext (RFC 3461 §4), in UTF-8. */
function encodeXtext(text: string): string {
  const octets = Buffer.from(text).toString('latin1');
  return octets.replace(/[^!-*,-<>-~]/g, (octet) => {
    return `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
