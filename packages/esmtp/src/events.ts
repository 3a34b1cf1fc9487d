import type { Address } from '@postern/core';
import type { AvatarId, Mind } from '@postern/cred';
import type { SessionEvent, SessionListener } from '@postern/sasl-profile';
import type { Envelope } from './delivery.ts';
import type { ForwardPath, ReversePath } from './protocol/address.ts';
import type { Verb } from './protocol/command.ts';
import type { Reply } from './protocol/reply.ts';

/**
 * An event of one connection, for logs and metrics. No event holds a password, a response or a
 * challenge. The user name of a failed login is in its event only with the option `logUsernames`:
 * users often type a password into that field.
 *
 * Each refusal is one event, with the reply that the client got. Each failure of this server is one
 * `error` with its cause, and the refusal that results from it is an event of its own.
 */
export type EsmtpEvent = SessionEvent<Verb, Reply> | ({ readonly mind: Mind } & MailEvent);

/** An event of SMTP or LMTP beside those of every protocol. */
type MailEvent =
  /**
   * The name in EHLO, HELO or LHLO is neither a domain nor an address literal. The session
   * continues, and the `Received:` field says `unknown`. The name holds no control or format
   * characters.
   */
  | { readonly kind: 'invalid-client-name'; readonly name: string }
  /**
   * A trusted peer has named the client whose connection it forwards (XCLIENT): the mind has
   * changed.
   */
  | { readonly kind: 'forwarded'; readonly peer: Address }
  /** This server or the delivery has refused MAIL. */
  | {
      readonly kind: 'sender-refused';
      readonly sender: ReversePath;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
    }
  /** This server or the delivery has refused RCPT. */
  | {
      readonly kind: 'recipient-refused';
      readonly recipient: ForwardPath;
      /** The sender of the transaction; undefined without a transaction. */
      readonly sender: ReversePath | undefined;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
    }
  | {
      readonly kind: 'message-accepted';
      readonly envelope: Envelope;
      /** The user who sent the message. */
      readonly avatarId: AvatarId | undefined;
      /**
       * The octets that the client sent, without dot stuffing: with the `Bcc` fields that were
       * removed, and without the fields that were added.
       */
      readonly octets: number;
      /**
       * The recipients that do not get the message. The sender is notified of each, or has asked
       * for no notification (RFC 3461 §4.1).
       */
      readonly failed: readonly FailedRecipient[];
      /**
       * The delivery's own positive reply, which the client got. Undefined without one, and in
       * LMTP.
       */
      readonly reply?: Reply | undefined;
      /** The replies of the next servers, with their queue ids; empty if the message stays here. */
      readonly nextHops: readonly NextHopReply[];
    }
  | {
      readonly kind: 'message-refused';
      readonly envelope: Envelope;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
      /**
       * The recipients that do not get the message, each with its own reply. Empty if the one reply
       * of SMTP is for all. The remaining recipients have the message.
       */
      readonly failed: readonly FailedRecipient[];
    };

/**
 * Gets each event. It must return at once. An error that it throws, or rejects with, becomes a
 * warning of the process.
 */
export type EventListener = SessionListener<EsmtpEvent>;

/** A recipient that does not get a message. */
export interface FailedRecipient {
  readonly recipient: string;
  readonly reply: Reply;
}

/** The reply of a next server that took a message. */
export interface NextHopReply {
  /** The domain or address literal of the server. */
  readonly host: string;
  /** Its reply to the message, usually with its queue id: `250 2.0.0 OK: queued as 4Qz`. */
  readonly reply: Reply;
  /** The recipients of the reply. */
  readonly recipients: readonly string[];
}
