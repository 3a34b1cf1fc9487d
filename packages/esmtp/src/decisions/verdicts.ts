import type { AvatarId, LoginError } from '@postern/cred';
import { encodeUtf8 } from '@postern/sasl';
import { LoginDeferral, LoginRejection, type LoginReplyOptions } from '../login-rejection.ts';
import { Reply } from '../protocol/reply.ts';

/**
 * The result of a decision about a login. The words are those of aiosmtpd and Halon. A verdict is
 * an object of a class: no flag or code can be mistaken for one.
 */
export type Verdict = Accept | Refuse | Challenge;

/** Logs the client in as a user. */
export class Accept {
  readonly #avatarId: AvatarId;

  constructor(avatarId: AvatarId) {
    this.#avatarId = avatarId;
  }

  get avatarId(): AvatarId {
    return this.#avatarId;
  }
}

/** Refuses the login, permanently or temporarily. */
export class Refuse {
  readonly #error: LoginError;

  constructor(error: LoginError) {
    this.#error = error;
  }

  get error(): LoginError {
    return this.#error;
  }
}

/** Asks the client for another response, and then calls the decision again. */
export class Challenge {
  readonly #challenge: Uint8Array;

  constructor(challenge: Uint8Array) {
    this.#challenge = challenge;
  }

  get challenge(): Uint8Array {
    return this.#challenge;
  }
}

/** The reply to a refused login. The default codes are those of every failed login. */
export interface ReplyOptions extends LoginReplyOptions {
  /** 400 to 599. Default: 535 for `reject`, 454 for `defer` (RFC 4954 §6). */
  readonly code?: number;
  /**
   * An enhanced status code of the same class as `code`. Default: 5.7.8 with 535, otherwise 4.7.0
   * or 5.7.0.
   */
  readonly enhanced?: `${4 | 5}.${number}.${number}`;
}

/** Logs the client in as this user, whatever user name it has sent. */
export function accept(avatarId: AvatarId): Verdict {
  return new Accept(avatarId);
}

/**
 * Refuses the login permanently: no other checker is asked.
 *
 * @throws RangeError for a code that is not 5xx, and for an enhanced code of another class.
 */
export function reject(
  reason = 'Authentication failed',
  { code = 535, enhanced, disconnect }: ReplyOptions = {},
): Verdict {
  return new Refuse(new LoginRejection(reply(code, enhanced, reason), { disconnect: disconnect === true }));
}

/**
 * Refuses the login temporarily. Other checkers of a cascade may still accept it.
 *
 * @throws RangeError for a code that is not 4xx, and for an enhanced code of another class.
 */
export function defer(
  reason = 'Temporary authentication failure',
  { code = 454, enhanced, disconnect }: ReplyOptions = {},
): Verdict {
  return new Refuse(new LoginDeferral(reply(code, enhanced, reason), { disconnect: disconnect === true }));
}

/** Sends a challenge to the client: a text in UTF-8, or octets. */
export function challenge(question: string | Uint8Array): Verdict {
  return new Challenge(typeof question === 'string' ? encodeUtf8(question) : question);
}

function reply(code: number, enhanced: string | undefined, reason: string): Reply {
  return new Reply(code, enhanced ?? (code === 535 ? '5.7.8' : `${Math.floor(code / 100)}.7.0`), reason);
}
