import type { Reply } from '../protocol/reply.ts';

/** The base of the ways in which a client's dialogue with a server can fail. */
export abstract class SmtpClientError extends Error {
  abstract readonly code: 'refused' | 'protocol-error' | 'unsupported' | 'bad-message';

  override get name(): string {
    return this.constructor.name;
  }
}

/** The server refused: its reply is of class 4 (try again later) or 5 (do not). */
export class SmtpReplyError extends SmtpClientError {
  readonly code = 'refused';
  readonly reply: Reply;
  /** What was refused: the command's verb, or `greeting`, or `message`. */
  readonly command: string;

  constructor(command: string, reply: Reply) {
    super(`${command} was refused: ${inLines(reply)}`);
    this.command = command;
    this.reply = reply;
  }
}

/** The code after which the server closes the connection (RFC 5321 §3.8). */
export const CLOSING = 421;

/** Returns the reply as the server said it, its lines separated by LF, for an error message. */
export function inLines(reply: Reply): string {
  return reply.toString().trimEnd().replaceAll('\r\n', '\n');
}

/** The dialogue broke: the connection, or a server that does not speak the protocol, or lacks what was asked for. */
export class SmtpProtocolError extends SmtpClientError {
  readonly code = 'protocol-error';
}

/** The message needs an extension that the server does not have. Nothing was said. */
export class Unsupported extends SmtpClientError {
  readonly code = 'unsupported';
  /** The extension's keyword: `SMTPUTF8`. */
  readonly extension: string;

  constructor(extension: string) {
    super(`the message needs ${extension}, which the server has not`);
    this.extension = extension;
  }
}

/** The message or its envelope has what must not be sent to anybody, such as a CR or LF that is not part of a CRLF. */
export class BadMessage extends SmtpClientError {
  readonly code = 'bad-message';
}
