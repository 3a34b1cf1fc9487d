/** The parameters of a MAIL command. A parameter that the client did not send is undefined. */
export interface MailParameters {
  /** SIZE: the message's size in octets, as the client declares it (RFC 1870). */
  readonly size?: number;
  /**
   * BODY. With BINARYMIME the message may hold any octets, and its line endings are not the
   * transport's (RFC 3030 §3).
   */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** SMTPUTF8: true if envelope and header may hold UTF-8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  /**
   * AUTH: the mailbox that first submitted the message (RFC 4954 §5); null if unknown, and from
   * each client that is not trusted.
   */
  readonly auth?: string | null;
  /**
   * REQUIRETLS: true if each hop must use TLS and honour this request (RFC 8689). A `TLS-Required:`
   * field then counts for nothing.
   */
  readonly requireTls?: boolean;
  /**
   * RET: the part of the message that a notification of failure returns (RFC 3461 §4.3); with
   * `requireTls` at most the header.
   */
  readonly ret?: 'FULL' | 'HDRS';
  /**
   * ENVID: the sender's name for this transaction, as xtext, for each notification (RFC 3461 §4.4).
   */
  readonly envid?: string;
}

/** The parameters of a RCPT command. A parameter that the client did not send is undefined. */
export interface RcptParameters {
  /**
   * NOTIFY: when to notify the sender (RFC 3461 §4.1). Undefined: on failure, and perhaps on delay.
   */
  readonly notify?: Notify;
  /**
   * ORCPT: the original recipient as sent: `rfc822;bob@example.com` in xtext, or `utf-8;…` (RFC
   * 3461 §4.2, RFC 6533 §3).
   */
  readonly orcpt?: string;
}

/** The occasions on which a sender asks for a notification about a recipient (RFC 3461 §4.1). */
export type Notify = 'NEVER' | readonly Occasion[];

/** One occasion for a notification. */
export type Occasion = 'SUCCESS' | 'FAILURE' | 'DELAY';

/**
 * Returns true if the sender asks for a notification when a recipient has the message (RFC 3461
 * §4.1).
 */
export function wantsSuccess({ notify }: RcptParameters): boolean {
  return notify !== undefined && notify !== 'NEVER' && notify.includes('SUCCESS');
}

/**
 * Returns true if the sender asks for a notification when the message fails for a recipient. That
 * is so without a NOTIFY parameter too (RFC 3461 §5.2.6).
 */
export function wantsFailure({ notify }: RcptParameters): boolean {
  return notify === undefined || (notify !== 'NEVER' && notify.includes('FAILURE'));
}
