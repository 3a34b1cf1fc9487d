import type { Culprit, Mind } from '@postern/cred';

/**
 * An event of a server that answers a mail server's questions. A question with an answer is no
 * event.
 */
export type LookupEvent =
  /** The mail server does not speak the protocol. The connection closes. */
  | { readonly mind: Mind; readonly kind: 'protocol-error'; readonly problem: string }
  /** A question has no answer, by a fault of this server or its operator. */
  | {
      readonly mind: Mind;
      readonly kind: 'error';
      readonly culprit: Culprit;
      readonly during: 'session';
      readonly cause: unknown;
    };
