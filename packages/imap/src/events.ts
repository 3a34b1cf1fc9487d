import type { ProxyEvent, SessionListener } from '@postern/sasl-profile';
import type { Verb } from './protocol/command.ts';

/**
 * An event of one connection, for logs and metrics: {@link SessionEvent} of
 * `@postern/sasl-profile`, and `proxied` at the end of a session that passed through to a back end.
 * A reply is its text without the last CRLF.
 */
export type ImapEvent = ProxyEvent<Verb>;

/**
 * Gets each event. It must return at once. An error that it throws, or rejects with, becomes a
 * warning of the process.
 */
export type EventListener = SessionListener<ImapEvent>;
