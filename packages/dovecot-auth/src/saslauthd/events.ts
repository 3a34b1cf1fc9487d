import type { AvatarId, LoginError, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import type { LookupEvent } from '../lookups/events.ts';

/**
 * An event of a saslauthd server, for logs and metrics. The mind of a login has the address of the
 * mail server's client, if the request names it. No event holds a password. The user name of a
 * failed login is in its event only with the option `logUsernames`.
 */
export type SaslauthdEvent =
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
      readonly mechanism: string;
      readonly error: LoginError | ExchangeError;
      /** `NO`, or `close`. */
      readonly reply: string;
      readonly username?: string | undefined;
      readonly service: string | undefined;
    }
  | LookupEvent;
