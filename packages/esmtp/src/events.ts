import type { Address } from '@postern/core';
import type { AvatarId, Culprit, LoginError, LogoutReason, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
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
export type EsmtpEvent = { readonly mind: Mind } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'tls-started' }
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
  /** The client has sent TLS to a port without TLS, or a request of HTTP. The connection closes. */
  | { readonly kind: 'foreign-protocol'; readonly protocol: 'TLS' | 'HTTP'; readonly reply: Reply }
  | { readonly kind: 'authenticated'; readonly mechanism: string; readonly avatarId: AvatarId }
  | {
      readonly kind: 'login-refused';
      /**
       * A mechanism of this server; undefined for the anonymous login of a client that sent MAIL.
       */
      readonly mechanism: string | undefined;
      readonly error: LoginError | ExchangeError;
      /**
       * The reply, also to a client that has disconnected. The event follows `closed` if the login
       * ends after the connection.
       */
      readonly reply: Reply;
      /**
       * The user name as the client sent it. Only with `logUsernames`, and if the exchange got that
       * far.
       */
      readonly username?: string | undefined;
    }
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
  /** This server has refused another command, or an unknown line. */
  | {
      readonly kind: 'command-refused';
      /** Undefined for an unknown line. */
      readonly verb: Verb | undefined;
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
    }
  /** An operation failed. The client's reply, if there is one, does not show the cause. */
  | { readonly kind: 'error'; readonly culprit: Culprit; readonly during: Verb | 'session'; readonly cause: unknown }
  | {
      readonly kind: 'closed';
      readonly reason: LogoutReason;
      /**
       * The last reply of a server that closed the connection itself: after a timeout, or to shut
       * down.
       */
      readonly reply: Reply | undefined;
    }
);

/**
 * Gets each event. It must return at once. An error that it throws, or rejects with, becomes a
 * warning of the process.
 */
export type EventListener = (event: EsmtpEvent) => void;

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
