import type { AvatarId, Culprit, LoginError, LogoutReason, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';

/**
 * An event of one connection, for logs and metrics: the events that all protocols share. `V` is a
 * verb of the protocol, `R` a reply. No event holds a password, a response or a challenge. The user
 * name of a failed login is in its event only with the option `logUsernames`: users often type a
 * password into that field.
 *
 * Each refusal is one event, with the reply that the client got. Each failure of this server is one
 * `error` with its cause, and the refusal that results from it is an event of its own.
 */
export type SessionEvent<V extends string = string, R = unknown> = { readonly mind: Mind } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'tls-started' }
  /** The client has sent TLS to a port without TLS, or a request of HTTP. The connection closes. */
  | { readonly kind: 'foreign-protocol'; readonly protocol: 'TLS' | 'HTTP'; readonly reply: R }
  | { readonly kind: 'authenticated'; readonly mechanism: string; readonly avatarId: AvatarId }
  | {
      readonly kind: 'login-refused';
      /** A mechanism of this server; undefined for an anonymous login without a mechanism. */
      readonly mechanism: string | undefined;
      readonly error: LoginError | ExchangeError;
      /**
       * The reply, also to a client that has disconnected. The event follows `closed` if the login
       * ends after the connection.
       */
      readonly reply: R;
      /**
       * The user name as the client sent it. Only with `logUsernames`, and if the exchange got that
       * far.
       */
      readonly username?: string | undefined;
    }
  /** This server has refused a command, or an unknown line. */
  | {
      readonly kind: 'command-refused';
      /** Undefined for an unknown line. */
      readonly verb: V | undefined;
      readonly reply: R;
    }
  /** An operation failed. The client's reply, if there is one, does not show the cause. */
  | { readonly kind: 'error'; readonly culprit: Culprit; readonly during: V | 'session'; readonly cause: unknown }
  | {
      readonly kind: 'closed';
      readonly reason: LogoutReason;
      /**
       * The last reply of a server that closed the connection itself: after a timeout, or to shut
       * down.
       */
      readonly reply: R | undefined;
    }
);

/** An event of any protocol: one of {@link SessionEvent}, or one of the protocol's own. */
export interface AnySessionEvent {
  readonly mind: Mind;
  readonly kind: string;
}

/**
 * Gets each event of a server. It must return at once. An error that it throws, or rejects with,
 * becomes a warning of the process.
 */
export type SessionListener<E extends AnySessionEvent> = (event: E) => void;
