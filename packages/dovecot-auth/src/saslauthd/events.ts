import type { DovecotAuthEvent } from '../events.ts';
import type { LookupEvent } from '../lookups/events.ts';

/**
 * An event of a saslauthd server, for logs and metrics. The mind of a login has the address of the
 * mail server's client, if the request names it. The reply of a refusal is `NO` or `close`. No
 * event holds a password. The user name of a failed login is in its event only with the option
 * `logUsernames`.
 */
export type SaslauthdEvent =
  | Extract<DovecotAuthEvent, { readonly kind: 'authenticated' | 'login-refused' }>
  | LookupEvent;
