import { LoginDenied, TemporaryFailure } from '@postern/cred';
import type { Reply } from './protocol/reply.ts';

/** The options of {@link LoginRejection} and {@link LoginDeferral}. */
export interface LoginReplyOptions {
  /** True closes the connection behind the reply. Default: false. */
  readonly disconnect?: boolean;
}

/**
 * An error that a checker or a realm throws to refuse a login with a reply of its own. Final, as
 * each `LoginDenied` is. Protocols other than ESMTP and LMTP refuse as for a `LoginDenied`, without
 * the reply, and keep the connection.
 *
 * @example
 * ```ts
 * import { LoginRejection, Reply } from '@postern/esmtp';
 *
 * export function refuseUnpaid(): never {
 *   throw new LoginRejection(new Reply(535, '5.7.8', 'Your subscription has ended'));
 * }
 * ```
 */
export class LoginRejection extends LoginDenied {
  readonly reply: Reply;
  readonly disconnect: boolean;

  /** @throws RangeError for a positive reply. */
  constructor(reply: Reply, { disconnect = false }: LoginReplyOptions = {}) {
    super('policy', `login refused: ${negativeCode(reply)}`);
    this.reply = reply;
    this.disconnect = disconnect;
  }
}

/**
 * An error that a checker or a realm throws to defer a login with a reply of its own: it cannot say
 * whether the credentials are right, and the client may try again.
 */
export class LoginDeferral extends TemporaryFailure {
  readonly reply: Reply;
  readonly disconnect: boolean;

  /** @throws RangeError unless the reply is 4xx. */
  constructor(reply: Reply, { disconnect = false }: LoginReplyOptions = {}) {
    if (reply.code >= 500) throw new RangeError(`${reply.code} is not a deferral; expected 400 to 499`);
    super(`login deferred: ${negativeCode(reply)}`);
    this.reply = reply;
    this.disconnect = disconnect;
  }
}

/**
 * Returns the error that holds a reply for the client: the error itself, or its cause in a cascade
 * of checkers.
 */
export function customRefusal(error: unknown): LoginRejection | LoginDeferral | undefined {
  const inner = error instanceof TemporaryFailure && error.cause instanceof LoginDeferral ? error.cause : error;
  return inner instanceof LoginRejection || inner instanceof LoginDeferral ? inner : undefined;
}

function negativeCode({ code, positive }: Reply): number {
  if (positive) throw new RangeError(`${code} is a positive reply code; expected 400 to 599`);
  return code;
}
