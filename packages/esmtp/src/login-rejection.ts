import { LoginDenied, TemporaryFailure } from '@postern/cred';
import type { Reply } from './protocol/reply.ts';

/** How a login is turned down, where the words are not to be the server's. */
export interface LoginReplyOptions {
  /** Whether the connection ends with the reply. Default: false. */
  readonly disconnect?: boolean;
}

/**
 * A refusal in words of its own: a checker or a realm throws it, and the client gets the reply as
 * it is. Final, as every LoginDenied is.
 */
export class LoginRejection extends LoginDenied {
  readonly reply: Reply;
  readonly disconnect: boolean;

  /** Throws a RangeError for a reply that is none of refusal. */
  constructor(reply: Reply, { disconnect = false }: LoginReplyOptions = {}) {
    super('policy', `login refused: ${negative(reply)}`);
    this.reply = reply;
    this.disconnect = disconnect;
  }
}

/**
 * A deferral in words of its own: nobody knows whether the credentials are right, and the client
 * may try again.
 */
export class LoginDeferral extends TemporaryFailure {
  readonly reply: Reply;
  readonly disconnect: boolean;

  /** Throws a RangeError unless the reply is 4xx. */
  constructor(reply: Reply, { disconnect = false }: LoginReplyOptions = {}) {
    if (reply.code >= 500) throw new RangeError(`${reply.code} is no deferral`);
    super(`login deferred: ${negative(reply)}`);
    this.reply = reply;
    this.disconnect = disconnect;
  }
}

/**
 * The refusal or the deferral that an error is, or that a cascade of checkers came to: what it says
 * goes to the client.
 */
export function ownWords(error: unknown): LoginRejection | LoginDeferral | undefined {
  const said = error instanceof TemporaryFailure && error.cause instanceof LoginDeferral ? error.cause : error;
  return said instanceof LoginRejection || said instanceof LoginDeferral ? said : undefined;
}

function negative({ code, positive }: Reply): number {
  if (positive) throw new RangeError(`${code} is no refusal`);
  return code;
}
