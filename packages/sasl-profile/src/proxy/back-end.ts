import type { Conversation, Transport } from '@postern/conversation';
import { isLocal, type MaybePromise } from '@postern/core';
import { type Mind, TemporaryFailure } from '@postern/cred';
import { type BackEndAccount, BackEndCredentials } from './back-end-account.ts';

/** The way to a user's server. */
export interface BackEndOptions {
  /**
   * Opens a connection to the server: `connect` of `@postern/node` does. The `tlsPolicy` of the
   * transport decides about TLS. `implicit` has TLS already. `required` starts it by STARTTLS or
   * fails. `offered` starts it if the server can. `none` sends the password in the clear.
   * Rejects when the signal aborts.
   */
  readonly connect: (signal: AbortSignal) => MaybePromise<Transport>;
  /** The account at the server. Undefined for a server that needs no login, such as PREAUTH. */
  readonly account?: BackEndAccount | undefined;
  /** Milliseconds for the connection and the login together. Default: 10,000. */
  readonly loginTimeout?: number;
  /** Milliseconds without an octet in either direction after the login. Default: 2,100,000. */
  readonly idleTimeout?: number;
}

/**
 * The avatar of a user whose server is another one: the base of the avatars of proxied protocols.
 * `W` is what the client learns when the server has accepted the login.
 */
export abstract class BackEnd<W> {
  readonly connect: BackEndOptions['connect'];
  /** Undefined for a server that needs no login. */
  readonly credentials: BackEndCredentials | undefined;
  readonly loginTimeout: number;
  readonly idleTimeout: number;

  /** @throws RangeError for an account whose names the server would read in another way. */
  constructor({ connect, account, loginTimeout = 10_000, idleTimeout = 2_100_000 }: BackEndOptions) {
    if (typeof connect !== 'function') {
      throw new TypeError('connect: expected a function that returns a Transport, such as () => connect({ endpoint })');
    }
    this.connect = connect;
    this.credentials = account === undefined ? undefined : new BackEndCredentials(account);
    this.loginTimeout = loginTimeout;
    this.idleTimeout = idleTimeout;
  }

  /**
   * Hears the greeting, starts TLS as the transport's `tlsPolicy` demands, and logs in. `mind` is
   * the client's.
   *
   * @throws BackEndUnavailable if the server refuses or does not speak the protocol.
   */
  abstract logIn(conversation: Conversation, mind: Mind): Promise<W>;

  /**
   * Returns true if the login starts TLS now: `isOffered` by the server, and demanded or allowed by
   * the policy of the transport.
   *
   * @throws BackEndUnavailable if TLS is required and not offered.
   */
  protected startsTls({ tls, tlsPolicy }: Transport, isOffered: boolean): boolean {
    if (tls !== undefined || tlsPolicy === 'none') return false;
    if (tlsPolicy === 'required' && !isOffered) throw new BackEndUnavailable('the back end offers no STARTTLS');
    return isOffered;
  }

  /**
   * Returns the credentials for a connection, on which TLS is up if it ever will be.
   *
   * @throws BackEndUnavailable without an account, and where the password would leave this machine
   * in the clear against the policy of the transport.
   */
  protected credentialsFor({ remote, tls, tlsPolicy }: Transport): BackEndCredentials {
    if (this.credentials === undefined) {
      throw new BackEndUnavailable('the back end wants a login; expected the option account, or a greeting of PREAUTH');
    }
    if (tls === undefined && tlsPolicy !== 'none' && !isLocal(remote)) {
      throw new BackEndUnavailable('the back end offers no TLS; expected a connection with TLS, or the policy none');
    }
    return this.credentials;
  }
}

/** The user's server cannot be reached, refuses the account, or does not speak the protocol. */
export class BackEndUnavailable extends TemporaryFailure {
  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, culprit: 'operator' });
  }
}
