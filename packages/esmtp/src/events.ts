import type { Address } from '@postern/core';
import type { AvatarId, Culprit, LoginError, LogoutReason, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import type { Envelope } from './delivery.ts';
import type { ForwardPath, ReversePath } from './protocol/address.ts';
import type { Verb } from './protocol/command.ts';
import type { Reply } from './protocol/reply.ts';

/**
 * What happened on a connection, for logs and figures. No event holds a password, a response or a
 * challenge. The user name of a failed login is in an event only with `logUsernames`: it is often a
 * password, typed into the wrong field.
 *
 * Each refusal is one event with the reply that the client got. Each failure of this server is one
 * `trouble` with its cause; the refusal that follows from it is an event of its own.
 */
export type EsmtpEvent = { readonly mind: Mind } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'tls-started' }
  /**
   * The name in EHLO, HELO or LHLO is no domain and no address literal. The session goes on, and
   * `Received:` says `unknown`. The name holds no control or format characters.
   */
  | { readonly kind: 'invalid-client-name'; readonly name: string }
  /** A trusted peer has said whose connection it hands on: the mind goes by that now. */
  | { readonly kind: 'forwarded'; readonly peer: Address }
  /**
   * The client does not speak SMTP: it began TLS on a port without, or sent a request of HTTP. The
   * connection ends.
   */
  | { readonly kind: 'foreign-protocol'; readonly protocol: 'TLS' | 'HTTP'; readonly reply: Reply }
  | { readonly kind: 'authenticated'; readonly mechanism: string; readonly avatarId: AvatarId }
  | {
      readonly kind: 'login-refused';
      /**
       * A mechanism that is known here; undefined for a guest that sent MAIL without having
       * authenticated.
       */
      readonly mechanism: string | undefined;
      readonly error: LoginError | ExchangeError;
      /**
       * For a client that did not wait for it, too; told of after `closed`, if the login outlived
       * the connection.
       */
      readonly reply: Reply;
      /**
       * The name that the client gave, as it came. Only with `logUsernames`, and if the exchange
       * got as far.
       */
      readonly username?: string | undefined;
    }
  /** MAIL was refused: by this server's policy, or by the delivery. */
  | {
      readonly kind: 'sender-refused';
      readonly sender: ReversePath;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
    }
  /** RCPT was refused: by this server's policy, or by the delivery. */
  | {
      readonly kind: 'recipient-refused';
      readonly recipient: ForwardPath;
      /** The transaction's sender; undefined where there is no transaction. */
      readonly sender: ReversePath | undefined;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
    }
  /** Another command was refused, or a line that is no command. */
  | {
      readonly kind: 'command-refused';
      /** Undefined for a line that this server does not understand. */
      readonly verb: Verb | undefined;
      readonly reply: Reply;
    }
  | {
      readonly kind: 'message-accepted';
      readonly envelope: Envelope;
      /** The user who sent it. */
      readonly avatarId: AvatarId | undefined;
      /**
       * The octets of the client's message, without dot stuffing: `Bcc` fields that were removed
       * count, fields that were added do not.
       */
      readonly octets: number;
      /**
       * The recipients for whom the message failed: the sender is told, or does not want to be (RFC
       * 3461 §4.1).
       */
      readonly failed: readonly FailedRecipient[];
      /**
       * What the next servers replied, with their queue ids; empty where the message stays here.
       */
      readonly nextHops: readonly NextHopReply[];
    }
  | {
      readonly kind: 'message-refused';
      readonly envelope: Envelope;
      readonly avatarId: AvatarId | undefined;
      readonly reply: Reply;
      /**
       * The recipients for whom the message failed, each with its own reply; empty if it failed for
       * all with the one reply of SMTP. The others have the message.
       */
      readonly failed: readonly FailedRecipient[];
    }
  /**
   * Something did not work; the connection went on, or ended, with a reply that says nothing of the
   * cause.
   */
  | { readonly kind: 'error'; readonly culprit: Culprit; readonly during: Verb | 'session'; readonly cause: unknown }
  | {
      readonly kind: 'closed';
      readonly reason: LogoutReason;
      /**
       * The last word to a client that was too slow, or that the end of the server met; else
       * undefined.
       */
      readonly reply: Reply | undefined;
    }
);

/**
 * Hears each event. Returns at once; an error that it throws, or rejects with, becomes a warning of
 * the process.
 */
export type EventListener = (event: EsmtpEvent) => void;

/** A recipient for whom a message that others accepted was not. */
export interface FailedRecipient {
  readonly recipient: string;
  readonly reply: Reply;
}

/** What a next server replied to a message that goes on there. */
export interface NextHopReply {
  /** The next server's domain, or its address literal. */
  readonly host: string;
  /**
   * Its reply to the message, mostly with the id that the message has there: `250 2.0.0 OK: queued
   * as 4Qz`.
   */
  readonly reply: Reply;
  /** The recipients that the reply is about. */
  readonly recipients: readonly string[];
}
