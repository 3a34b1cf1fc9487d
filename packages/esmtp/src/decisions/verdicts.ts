import type { AvatarId, LoginError } from '@postern/cred';
import { encodeUtf8 } from '@postern/sasl';
import { LoginDeferral, LoginRejection, type LoginReplyOptions } from '../login-rejection.ts';
import { Reply } from '../protocol/reply.ts';

/** What a decision about a login comes to. The words of aiosmtpd and Halon, with nothing left to be read off a flag or a code. */
export type Verdict = Accept | Refuse | Challenge;

/** The client is this user. */
export class Accept {
  readonly #avatarId: AvatarId;

  constructor(avatarId: AvatarId) {
    this.#avatarId = avatarId;
  }

  get avatarId(): AvatarId {
    return this.#avatarId;
  }
}

/** The client is not let in, for good or for now. */
export class Refuse {
  readonly #error: LoginError;

  constructor(error: LoginError) {
    this.#error = error;
  }

  get error(): LoginError {
    return this.#error;
  }
}

/** The client is asked for more, and the decision taken again. */
export class Challenge {
  readonly #challenge: Uint8Array;

  constructor(challenge: Uint8Array) {
    this.#challenge = challenge;
  }

  get challenge(): Uint8Array {
    return this.#challenge;
  }
}

/** How a refusal is worded. Without codes it is that of every failed login. */
export interface ReplyOptions extends LoginReplyOptions {
  /** 400 to 599. Default: 535 for a refusal, 454 for a deferral (RFC 4954 §6). */
  readonly code?: number;
  /** Of the class that the code has. Default: 5.7.8 with 535, 4.7.0 and 5.7.0 with others. */
  readonly enhanced?: `${4 | 5}.${number}.${number}`;
}

/** Lets the client in as this user, whatever name it gave. */
export function accept(avatarId: AvatarId): Verdict {
  return new Accept(avatarId);
}

/** Turns the client down for good: no other checker is asked. Throws a RangeError for codes that are none of refusal. */
export function reject(
  reason = 'Authentication failed',
  { code = 535, enhanced, disconnect }: ReplyOptions = {},
): Verdict {
  return new Refuse(new LoginRejection(reply(code, enhanced, reason), { disconnect: disconnect === true }));
}

/** Turns the client down for now. Throws a RangeError for codes that are none of a deferral. */
export function defer(
  reason = 'Temporary authentication failure',
  { code = 454, enhanced, disconnect }: ReplyOptions = {},
): Verdict {
  return new Refuse(new LoginDeferral(reply(code, enhanced, reason), { disconnect: disconnect === true }));
}

/** Asks the client for more: a text, or bytes. */
export function challenge(question: string | Uint8Array): Verdict {
  return new Challenge(typeof question === 'string' ? encodeUtf8(question) : question);
}

function reply(code: number, enhanced: string | undefined, reason: string): Reply {
  return new Reply(code, enhanced ?? (code === 535 ? '5.7.8' : `${Math.floor(code / 100)}.7.0`), reason);
}
