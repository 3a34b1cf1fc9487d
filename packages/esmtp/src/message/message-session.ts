import type { Conversation } from '@postern/conversation';
import type { Culprit, Login, LogoutReason, Mind } from '@postern/cred';
import type { Envelope, MessageDelivery } from '../delivery.ts';
import type { EsmtpEvent, FailedRecipient } from '../events.ts';
import type { Verb } from '../protocol/command.ts';
import type { ForwardedInfo } from '../protocol/forwarded.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Reply } from '../protocol/reply.ts';
import type { Policy } from '../protocol/services.ts';
import type { DateCache, ReceivedFieldCache } from './received.ts';

/** The part of an SMTP session that its messages use. */
export interface MessageSession {
  readonly conversation: Conversation;
  readonly settings: MessageSettings;
  readonly limits: Limits;
  readonly mind: Mind & { readonly forwarded: ForwardedInfo | undefined };
  readonly login: Login<MessageDelivery> | undefined;
  /** True if AUTH succeeded. */
  readonly authenticated: boolean;
  /** True after EHLO or LHLO. */
  readonly extended: boolean;
  /** The name of this server for this client. */
  readonly hostname: string;
  /** The first clauses of the session's `Received:` fields. */
  readonly receivedFields: ReceivedFieldCache;
  /** The refusal that an event has reported while the current command ran. */
  reportedRefusal: Reply | undefined;
  /** Why the session ends; undefined until the end is decided. */
  closeReason: LogoutReason | undefined;
  /** True if events have a listener: without one the session makes no event. */
  readonly hasListener: boolean;

  /**
   * Resolves as the promise of a delivery does. Rejects with a `Rejection` or a `DeliveryFailed`,
   * after at most `milliseconds` (default: `limits.deliveryTimeout`).
   */
  inTime<T>(result: Promise<T>, milliseconds?: number): Promise<T>;
  /** Charges memory to the transaction and returns true; returns false if too little is free. */
  reserveForEnvelope(octets: number): boolean;
  /**
   * Marks an anonymous client as busy with a message: such a connection closes later when
   * connections run short.
   */
  markBusy(): void;
  /** Forgets the junk commands so far: the client has sent a message that was accepted. */
  resetJunk(): void;
  /** Reports an event to the listener. Never throws. */
  report(event: EsmtpEvent): void;
  /** Reports an error once: to the listener, or as a warning of the process. */
  reportError(culprit: Culprit, during: Verb | 'session', cause: unknown): void;
}

/** The settings that a server's messages use. */
export interface MessageSettings extends Policy {
  readonly protocol: 'smtp' | 'lmtp';
  readonly dates: DateCache;
  /** Returns the id of the next message: unique in time and on this host. */
  readonly nextId: () => string;
}

/** Reports that a message was refused, after DATA or after one of its chunks. */
export function reportMessageRefusal(
  session: MessageSession,
  envelope: Envelope,
  reply: Reply,
  failed: readonly FailedRecipient[] = [],
): void {
  if (!session.hasListener) return;
  session.report({
    mind: session.mind,
    kind: 'message-refused',
    envelope,
    avatarId: session.login?.avatarId,
    reply,
    failed,
  });
}
