import type { AvatarId, LogoutReason, Mind } from '@postern/cred';
import type { SessionEvent, SessionListener } from '@postern/sasl-profile';
import type { Verb } from './protocol/command.ts';

/**
 * An event of one connection, for logs and metrics. A reply is its line without CRLF. No event
 * holds a password, a response or a challenge. The user name of a failed login is in its event only
 * with the option `logUsernames`: users often type a password into that field.
 *
 * Each refusal is one event, with the reply that the client got. Each failure of this server is one
 * `error` with its cause, and the refusal that results from it is an event of its own.
 */
export type Pop3Event =
  | SessionEvent<Verb, string>
  /** The login of a user has ended, and the mailbox closes. */
  | {
      readonly mind: Mind;
      readonly kind: 'mailbox-closed';
      readonly avatarId: AvatarId;
      readonly reason: LogoutReason;
      /** The number of messages at the login. */
      readonly messages: number;
      /** The number of messages that the client has read whole. */
      readonly retrieved: number;
      /** The octets of messages that the client was sent, without dot stuffing. */
      readonly octets: number;
      /** The number of messages that QUIT asked the mailbox to remove. */
      readonly deleted: number;
    };

/**
 * Gets each event. It must return at once. An error that it throws, or rejects with, becomes a
 * warning of the process.
 */
export type EventListener = SessionListener<Pop3Event>;
