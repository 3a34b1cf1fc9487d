import type { AvatarId, Culprit, LoginError, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import type { SessionListener } from '@postern/sasl-profile';

/** An operation of the auth server, for its errors. */
export type Operation = 'AUTH' | 'USER' | 'session';

/**
 * An event of the auth server, for logs and metrics. The mind of a login has the address of the
 * mail server's client (`rip`). No event holds a password, a response or a challenge. The user name
 * of a failed login is in its event only with the option `logUsernames`.
 */
export type DovecotAuthEvent =
  | {
      readonly mind: Mind;
      readonly kind: 'authenticated';
      readonly mechanism: string;
      readonly avatarId: AvatarId;
      /** The mail server's service, such as `smtp`; undefined if it names none. */
      readonly service: string | undefined;
    }
  | {
      readonly mind: Mind;
      readonly kind: 'login-refused';
      /** A mechanism of this server; undefined for one that it does not offer. */
      readonly mechanism: string | undefined;
      readonly error: LoginError | ExchangeError;
      /** `FAIL`, with its code if there is one, or `close`. */
      readonly reply: string;
      readonly username?: string | undefined;
      readonly service: string | undefined;
    }
  /** The mail server does not speak the protocol. The connection closes. */
  | { readonly mind: Mind; readonly kind: 'protocol-error'; readonly problem: string }
  /** An operation failed. */
  | {
      readonly mind: Mind;
      readonly kind: 'error';
      readonly culprit: Culprit;
      readonly during: Operation;
      readonly cause: unknown;
    };

/**
 * Gets each event. It must return at once. An error that it throws becomes a warning of the
 * process.
 */
export type DovecotAuthListener = SessionListener<DovecotAuthEvent>;
