/** What a client said with MAIL, beside the path. What it did not say is undefined. */
export interface MailParameters {
  /** The message's size in octets, as the client declares it (RFC 1870). */
  readonly size?: number;
  /** BINARYMIME: the message may hold any octets, and a line end is none of the transport's (RFC 3030 §3). */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** True if the envelope and the header may have UTF-8 in them (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** Who submitted the message first (RFC 4954 §5), null if unknown. From a client that is not trusted it is null, whatever it said. */
  readonly auth?: string | null;
  /** True if the message may go on only by TLS and to servers that keep to that (RFC 8689); its `TLS-Required:` field counts for nothing then. */
  readonly requireTls?: boolean;
  /** How much of the message a notification of failure is to return (RFC 3461 §4.3); with `requireTls` it is the header at most. */
  readonly ret?: 'FULL' | 'HDRS';
  /** The sender's name for this transaction, to be told and passed on with every notification: xtext, as it came (RFC 3461 §4.4). */
  readonly envid?: string;
}

/** What a client said with RCPT, beside the path. What it did not say is undefined. */
export interface RcptParameters {
  /** When the sender wants to hear of this recipient (RFC 3461 §4.1). Undefined: when it fails, and perhaps when it is late. */
  readonly notify?: Notify;
  /** Whom the message was for at first, as it came: `rfc822;bob@example.com`, in xtext, or `utf-8;…` (RFC 3461 §4.2, RFC 6533 §3). */
  readonly orcpt?: string;
}

/** When a sender wants to be told what became of a message at a recipient (RFC 3461 §4.1). */
export type Notify = 'NEVER' | readonly Occasion[];

/** An outcome that a sender may ask to be told of. */
export type Occasion = 'SUCCESS' | 'FAILURE' | 'DELAY';
