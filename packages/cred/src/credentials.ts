import { type InspectOptions, inspect } from 'node:util';
import { after, type MaybePromise } from '@postern/core';
import { isThrottled, type LoginError } from './errors.ts';
import { timingSafeEqualText } from './timing-safe-equal-text.ts';

/**
 * Says a challenge to the client and hears its response, both as plain bytes (RFC 4422 §3.4); the protocol does the framing.
 * Rejects when the client cancels the exchange, answers with something that is no response, or leaves.
 */
export type Ask = (challenge: Uint8Array) => Promise<Uint8Array>;

/**
 * Where the client's proof is: `unasked` and `asked` for live credentials whose client still owes its last
 * message (SCRAM's challenge has not left yet, or has), `arrived` once the guess is there to be judged.
 */
export type ProofState = 'unasked' | 'asked' | 'arrived';

/**
 * What a client put forward to prove who it is. A class of its own for every kind of proof: checkers register for the class.
 * Secrets are kept in `#private` fields, so that no log, no `util.inspect` and no `JSON.stringify` shows them.
 */
export abstract class Credentials {
  /** The authentication identity (authcid, RFC 4422 §2), prepared for look-up; undefined where the client names none. */
  abstract readonly username: string | undefined;

  /** The authorization identity (authzid, RFC 4422 §2) that the client asks to act as; undefined if it did not ask. */
  readonly authzid: string | undefined;

  #guard: (() => MaybePromise<void>) | undefined;

  constructor(authzid?: string) {
    this.authzid = authzid === '' ? undefined : authzid;
  }

  /** False for what nobody can guess, such as a client certificate. A throttle leaves such credentials alone. */
  get guessable(): boolean {
    return true;
  }

  /** Where the client's proof is. Default: `arrived`; live credentials override it. */
  get proofState(): ProofState {
    return 'arrived';
  }

  /**
   * Has the guard called when the proof of live credentials has arrived and before it is judged; the guard
   * refuses the login by throwing. Of several guards the first one is called first. Credentials whose
   * proof has arrived already call no guard.
   */
  onProof(guard: () => MaybePromise<void>): void {
    const earlier = this.#guard;
    this.#guard = earlier === undefined ? guard : () => after(earlier(), guard);
  }

  /** Calls the guards. Live credentials call this between the arrival of the proof and its verdict. */
  protected proofArrived(): MaybePromise<void> {
    return this.#guard?.();
  }

  /** The last word after a login that succeeded, said before the protocol's own success: SCRAM's server signature, for one. */
  accepted(): MaybePromise<void> {}

  /**
   * Hears what the client has left to say, if no checker has asked for it: after a refusal, and before it is counted or told, so that
   * it comes no sooner for an unknown user than for a wrong password. Rejects if the exchange breaks, or broke before.
   */
  conclude(): MaybePromise<void> {}

  /** The last word before the protocol's own refusal: an OAuth error, for one. By default there is none, and {@link conclude} is enough. */
  refused(error: LoginError): MaybePromise<void> {
    if (!isThrottled(error)) return this.conclude();
  }

  /** What `util.inspect` shows, and with it `console.log`: the public fields. Asked for everything, it would call the getters too. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `${this.constructor.name} ${inspect(Object.fromEntries(Object.entries(this)), options)}`;
  }
}

/**
 * A proof, of whatever form, that the client knows a user's password. A checker that holds clear-text passwords registers for
 * this class and serves every mechanism that rests on a password.
 */
export abstract class PasswordProof extends Credentials {
  abstract override readonly username: string;

  /** True if the proof was made with this password. Takes the same time for a right and a wrong one of the same length. */
  abstract checkPassword(password: string): MaybePromise<boolean>;
}

/**
 * A user name and the password itself, for checkers that hold hashes; PLAIN and LOGIN make these.
 * The password has two forms, since a store may have hashed either: as the client sent it, and as
 * SASLprep (RFC 4013) prepares it. `checkPassword` and `verifyPassword` accept both.
 */
export class UsernamePassword extends PasswordProof {
  readonly username: string;
  readonly #password: string;
  readonly #prepared: string;

  /** `preparedPassword` is what SASLprep makes of the password. Default: the password itself. */
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

  /** The password as SASLprep prepares it; the same as `password` if SASLprep refuses it. Never log it. */
  get preparedPassword(): string {
    return this.#prepared;
  }

  /** True if this is the password, in either form. Compares twice even if the forms are the same. */
  override checkPassword(password: string): boolean {
    const asPrepared = timingSafeEqualText(this.#prepared, password);
    const asSent = timingSafeEqualText(this.#password, password);
    return asPrepared || asSent;
  }

  /**
   * Asks `verify`, which compares a password with a stored hash, about the prepared password and then,
   * if that is wrong and the forms differ, about the password as sent. Returns true if one is right.
   * How often a wrong password is compared depends on that password alone, never on what is stored,
   * as long as the checker does the same work for users that it does not know.
   */
  verifyPassword(verify: (password: string) => MaybePromise<boolean>): MaybePromise<boolean> {
    return after(verify(this.#prepared), (right) =>
      right || this.#prepared === this.#password ? right : verify(this.#password),
    );
  }
}

/** A client that asks to come in without a name (RFC 4505), or that never authenticated. */
export class Anonymous extends Credentials {
  readonly username = undefined;

  override get guessable(): boolean {
    return false;
  }

  /** What the client said of itself: a trace for the log, of no authority (RFC 4505 §2). */
  readonly trace: string;

  constructor(trace = '') {
    super();
    this.trace = trace;
  }
}
