import type { SessionEvent, SessionListener } from '@postern/sasl-profile';

/**
 * An event of one request, for logs and metrics. A reply is the status code with its reason phrase,
 * such as `401 Unauthorized`. No event holds credentials. A request without an Authorization field
 * causes none.
 */
export type HttpAuthEvent = Extract<
  SessionEvent<'request', string>,
  { readonly kind: 'authenticated' | 'login-refused' } | { readonly kind: 'error' }
>;

/** Gets each event. It must return at once. */
export type HttpAuthListener = SessionListener<HttpAuthEvent>;
