import { after, type MaybePromise } from '@postern/core';
import { Credentials } from './credentials.ts';
import { timingSafeEqualText } from './timing-safe-equal-text.ts';

/**
 * A proof, in any form, that the client knows the user's password. A checker with clear-text
 * passwords registers for this class and serves all mechanisms that use a password.
 */
export abstract class PasswordProof extends Credentials {
  abstract override readonly username: string;

  /**
   * Returns true if the client has proved that it knows this password. Takes equally long for a
   * right and a wrong password of the same length.
   */
  abstract checkPassword(password: string): MaybePromise<boolean>;
}

/**
 * A user name and a password, for checkers with hashed passwords; PLAIN and LOGIN return these
 * credentials. The password has two forms, because a store may have hashed either: the form that
 * the client sent, and the form that SASLprep (RFC 4013) prepares. `checkPassword` and
 * `verifyPassword` accept both.
 */
export class UsernamePassword extends PasswordProof {
  readonly username: string;
  readonly #password: string;
  readonly #prepared: string;

  /** `preparedPassword` is the password after SASLprep. Default: `password`. */
  constructor(username: string, password: string, authzid?: string, preparedPassword = password) {
    super(authzid);
    this.username = username;
    this.#password = password;
    this.#prepared = preparedPassword;
  }

  /** The password as the client sent it. Never log it. */
  get password(): string {
    return this.#password;
  }

  /** The password after SASLprep, or `password` if SASLprep refuses it. Never log it. */
  get preparedPassword(): string {
    return this.#prepared;
  }

  /**
   * Returns true if `password` equals one of the two forms. Compares both if they differ, also
   * after a match: the number of comparisons depends on what the client sent alone.
   */
  override checkPassword(password: string): boolean {
    const asPrepared = timingSafeEqualText(this.#prepared, password);
    if (this.#prepared === this.#password) return asPrepared;
    const asSent = timingSafeEqualText(this.#password, password);
    return asPrepared || asSent;
  }

  /**
   * Returns true if `verify` returns true for one of the two forms. `verify` compares a password
   * with a stored hash. It gets the prepared form first, and the form as sent only if the first is
   * wrong and the two differ. The number of calls depends on the password alone, and not on the
   * store. This holds if the checker also calls `verifyPassword` for an unknown user.
   */
  verifyPassword(verify: (password: string) => MaybePromise<boolean>): MaybePromise<boolean> {
    return after(verify(this.#prepared), (right) =>
      right || this.#prepared === this.#password ? right : verify(this.#password),
    );
  }
}
