import type { Address, AvatarId, Culprit, LoginError, LogoutReason, Mind } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import type { Verb } from './command.ts';
import type { Envelope } from './delivery.ts';
import type { Reply } from './reply.ts';

/**
 * What happened on a connection, for logs and figures. No event holds a password, a response or a challenge, and none the user
 * name of a login that failed: it is often a password, typed into the wrong field.
 */
export type EsmtpEvent = { readonly mind: Mind } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'tls-started' }
  /** A trusted peer has said whose connection it hands on: the mind goes by that now. */
  | { readonly kind: 'forwarded'; readonly peer: Address }
  | { readonly kind: 'authenticated'; readonly mechanism: string; readonly avatarId: AvatarId }
  | {
      readonly kind: 'login-refused';
      /** A mechanism that is known here; undefined for a guest that sent MAIL without having authenticated. */
      readonly mechanism: string | undefined;
      readonly error: LoginError | ExchangeError;
      /** For a client that did not wait for it, too; told of after `closed`, if the login outlived the connection. */
      readonly reply: Reply;
    }
  | {
      readonly kind: 'message-accepted';
      readonly envelope: Envelope;
      /** The octets of the client's message, without dot stuffing: `Bcc` fields that were removed count, fields that were added do not. */
      readonly octets: number;
      /** The recipients to whom the message did not go: the delivery has told the sender. */
      readonly failed: readonly FailedRecipient[];
    }
  | { readonly kind: 'message-refused'; readonly envelope: Envelope; readonly reply: Reply }
  /** Something did not work; the connection went on, or ended, with a reply that says nothing of the cause. */
  | { readonly kind: 'trouble'; readonly culprit: Culprit; readonly during: Verb | 'session'; readonly cause: unknown }
  | { readonly kind: 'closed'; readonly reason: LogoutReason }
);

/** Is told what happens. Must return at once; what it throws, or rejects with, is dropped. */
export type EventListener = (event: EsmtpEvent) => void;

/** A recipient for whom a message that others accepted was not. */
export interface FailedRecipient {
  readonly recipient: string;
  readonly reply: Reply;
}
