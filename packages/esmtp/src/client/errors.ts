import type { Reply } from '../protocol/reply.ts';

/** The base class of the errors of an SMTP client. */
export abstract class SmtpClientError extends Error {
  /** A stable name of the error, for logs and for comparisons. */
  abstract readonly code: 'refused' | 'protocol-error' | 'unsupported' | 'bad-message';

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The server refused a command or a message. A reply of class 4 is temporary, one of class 5 is
 * final.
 */
export class SmtpReplyError extends SmtpClientError {
  readonly code = 'refused';
  readonly reply: Reply;
  /** The verb of the refused command, or `greeting`, or `message`. */
  readonly command: string;

  constructor(command: string, reply: Reply) {
    super(`${command} was refused: ${formatReply(reply)}`);
    this.command = command;
    this.reply = reply;
  }
}

/** The code after which the server closes the connection (RFC 5321 §3.8). */
export const CLOSING = 421;

/** Formats a reply for an error message: its lines, separated by LF. */
export function formatReply(reply: Reply): string {
  return reply.toString().trimEnd().replaceAll('\r\n', '\n');
}

/**
 * The dialogue broke: the server closed it, does not speak the protocol, or lacks a required
 * feature.
 */
export class SmtpProtocolError extends SmtpClientError {
  readonly code = 'protocol-error';
}

/** The message needs an extension that the server lacks. The client sent no command. */
export class UnsupportedExtension extends SmtpClientError {
  readonly code = 'unsupported';
  /** The keyword of the extension: `SMTPUTF8`. */
  readonly extension: string;

  constructor(extension: string) {
    super(`the message needs ${extension}, which the server does not offer`);
    this.extension = extension;
  }
}

/**
 * The message or its envelope has octets that must not be sent, such as a CR or LF outside a CRLF.
 */
export class BadMessage extends SmtpClientError {
  readonly code = 'bad-message';
}
