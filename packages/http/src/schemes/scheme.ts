import type { Clock, MaybePromise } from '@postern/core';
import type { Ask, Credentials, Interface, Login, LoginError, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import type { RefusalStatus } from '../error-replies.ts';
import type { HeaderField, HttpRequestInfo } from '../request-info.ts';

/**
 * The server's half of an authentication scheme (RFC 9110 §11). A scheme parses, and the portal
 * judges. One scheme object may serve several servers.
 */
export interface HttpScheme {
  /** The registered name of the scheme: `Basic`. Clients may write it in any case of letters. */
  readonly name: string;
  /**
   * The class of the credentials that the scheme yields. Without a checker for it the scheme is not
   * offered.
   */
  readonly credentials: Interface<Credentials>;
  /**
   * True if a listener to a request can log in afterwards. Such a scheme needs TLS, the same
   * machine, or the permission of the policy.
   */
  readonly exposesSecret: boolean;
  /** Begins to serve the scheme in one protection space. */
  serve(space: ProtectionSpace): SchemeServer;
}

/** The protection space of a server (RFC 9110 §11.5). */
export interface ProtectionSpace {
  readonly realm: string;
  readonly clock: Clock;
}

/** A scheme in one protection space, with the state that lasts over requests. */
export interface SchemeServer {
  /**
   * Returns the values of WWW-Authenticate, one for each line. `refusal` is the verdict on the
   * credentials of the request, if the request presented any in this scheme.
   */
  challenges(refusal?: LoginError | ExchangeError): readonly string[];
  /**
   * Logs the client of a request in.
   *
   * @throws ExchangeError if the credentials are malformed.
   * @throws LoginError if the client is refused. Errors may be thrown, or be a rejection.
   */
  logIn<A>(attempt: SchemeAttempt<A>): MaybePromise<SchemeOutcome<A>>;
  /**
   * Returns the status of a refusal, where it differs from that of the other schemes. Default: it
   * never does.
   */
  statusFor?(error: LoginError | ExchangeError): RefusalStatus | undefined;
  /** Ends the exchanges that wait for a further request. Default: does nothing. */
  close?(): void;
}

/** A request with credentials of one scheme. */
export interface SchemeAttempt<A> {
  /** The part of the field behind the scheme's name. */
  readonly credentials: string;
  readonly request: HttpRequestInfo;
  /** The user name, once it is known: for the event of a refusal. */
  username: string | undefined;
  /** Logs the client in with the credentials that `read` returns. */
  readonly authenticate: (read: ReadCredentials, options?: AuthenticateOptions) => MaybePromise<Login<A>>;
}

/** Returns the credentials of a request. `ask` works in schemes with two requests for a login. */
export type ReadCredentials = (ask: Ask) => MaybePromise<Credentials>;

/** The parts of a login that a scheme with several requests replaces. */
export interface AuthenticateOptions {
  /** Sends a challenge in a response, and resolves with the response in the next request. */
  readonly ask: Ask;
  /** The mind of a client whose requests may use several connections. */
  readonly mind: Mind;
}

/** The result of a request with credentials: a login, or a challenge within an exchange. */
export type SchemeOutcome<A> =
  | {
      readonly login: Login<A>;
      /** The fields of the response to a client that is logged in. */
      readonly headers: readonly HeaderField[];
    }
  | {
      readonly login?: undefined;
      /** The values of WWW-Authenticate. The client has not failed: it sends another request. */
      readonly challenges: readonly string[];
    };

/** The fields of a login without any: one array for all. */
export const NO_FIELDS: readonly HeaderField[] = Object.freeze([]);
