import { type InspectOptions, inspect } from 'node:util';
import { after, type MaybePromise } from '@postern/core';
import { isThrottled, type LoginError } from './errors.ts';

/**
 * Sends a challenge to the client and resolves with its response, both as plain bytes (RFC 4422
 * §3.4). The protocol does the framing. Rejects if the client cancels the exchange, sends a
 * malformed response or disconnects.
 */
export type Ask = (challenge: Uint8Array) => Promise<Uint8Array>;

/**
 * How far the client's proof has come. Live credentials, such as SCRAM's, start as `unasked`, are
 * `asked` once their challenge is sent, and `arrived` once the client has answered.
 */
export type ProofState = 'unasked' | 'asked' | 'arrived';

/**
 * The client's proof of its identity. Each kind of proof has its own class, and a checker registers
 * for the class. Secrets are `#private` fields: no log, `util.inspect` or `JSON.stringify` shows
 * them.
 */
export abstract class Credentials {
  /** The authentication identity (authcid, RFC 4422 §2), prepared; undefined if absent. */
  abstract readonly username: string | undefined;

  /** The identity that the client asks to act as (authzid, RFC 4422 §2), or undefined. */
  readonly authzid: string | undefined;

  #guard: (() => MaybePromise<void>) | undefined;

  /** An empty `authzid` counts as absent. */
  constructor(authzid?: string) {
    this.authzid = authzid === '' ? undefined : authzid;
  }

  /**
   * False for credentials that a client cannot guess, such as a certificate. A throttle lets them
   * pass uncounted. Default: true.
   */
  get guessable(): boolean {
    return true;
  }

  /** How far the client's proof has come. Default: `arrived`; live credentials override it. */
  get proofState(): ProofState {
    return 'arrived';
  }

  /**
   * Calls `guard` once the proof has arrived and before it is verified: at once, unless the
   * credentials are live. A guard that throws refuses the login. Several guards run in the order of
   * their registration.
   */
  onProof(guard: () => MaybePromise<void>): MaybePromise<void> {
    if (this.proofState === 'arrived') return guard();
    const earlier = this.#guard;
    this.#guard = earlier === undefined ? guard : () => after(earlier(), guard);
  }

  /**
   * Runs the guards. Live credentials call it when the proof has arrived, before they verify it.
   */
  protected proofArrived(): MaybePromise<void> {
    return this.#guard?.();
  }

  /**
   * Sends the closing words of a successful login, such as SCRAM's server signature, before the
   * protocol's own reply. Default: sends nothing.
   */
  accepted(): MaybePromise<void> {}

  /**
   * Runs the rest of the exchange if no checker has done so. The portal calls it after a refusal
   * and before the refusal counts. Then an unknown user is refused as late as a wrong password.
   * Rejects if the exchange breaks or has broken. Default: does nothing.
   */
  conclude(): MaybePromise<void> {}

  /**
   * Sends the closing words of a refused login, such as an OAuth error, before the protocol's own
   * reply. Default: calls {@link conclude}, except for a throttle's denial, which ends at once.
   */
  refused(error: LoginError): MaybePromise<void> {
    if (!isThrottled(error)) return this.conclude();
  }

  /** Shows the public fields to `util.inspect`. With `showHidden` it would call the getters too. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const fields = Object.fromEntries(Object.entries(this));
    return `${this.constructor.name} ${inspect(fields, options)}`;
  }
}

/** The login of a client without a name: by ANONYMOUS (RFC 4505), or before any authentication. */
export class Anonymous extends Credentials {
  readonly username = undefined;
  /** The client's trace information for the log (RFC 4505 §2). It proves nothing. */
  readonly trace: string;

  constructor(trace = '') {
    super();
    this.trace = trace;
  }

  override get guessable(): boolean {
    return false;
  }
}

/**
 * A user that a trusted peer vouches for, such as a proxy that has authenticated its client itself.
 * The credentials contain no proof. The protocol decides which peers may vouch, the checker for
 * which users.
 */
export class TrustedLogin extends Credentials {
  readonly username: string;

  constructor(username: string, authzid?: string) {
    super(authzid);
    this.username = username;
  }

  override get guessable(): boolean {
    return false;
  }
}
