import type { MaybePromise } from '@postern/core';
import type { AvatarId, Mind } from '@postern/cred';
import type { ForwardPath, Mailbox, ReversePath } from './protocol/address.ts';
import type { MailParameters, RcptParameters } from './protocol/parameters.ts';
import type { Reply } from './protocol/reply.ts';

export type { MailParameters, RcptParameters } from './protocol/parameters.ts';

/** One accepted recipient. */
export interface Recipient {
  readonly forwardPath: ForwardPath;
  readonly parameters: RcptParameters;
  /** The address that the client named, where an alias led from it to `forwardPath`. */
  readonly originalPath?: ForwardPath;
}

/** What is known of a message before its first byte. */
export interface Envelope {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** At least one. */
  readonly recipients: readonly Recipient[];
  /**
   * Unique in time and on this host: letters and digits; stands in the `Received:` field and in the
   * reply.
   */
  readonly id: string;
}

/** What a `Received:` field tells (RFC 5321 §4.4). */
export interface ReceivedTrace {
  readonly mind: Mind;
  readonly avatarId: AvatarId;
  /** This server's name. */
  readonly hostname: string;
  /** The client's host name, where a trusted peer has looked it up (XCLIENT). */
  readonly remoteName?: string | undefined;
  /**
   * True if the field should leave out the client's address and names, as `omitClientFromReceived`
   * demands. Default: false.
   */
  readonly omitClient?: boolean;
  /** The registered "with" keyword: `ESMTPSA` (RFC 3848), `UTF8SMTPSA` (RFC 6531). */
  readonly protocol: string;
  readonly envelope: Envelope;
  readonly date: Date;
}

/**
 * The avatar that ESMTP speaks to: what one user may do about messages. A refusal is a thrown
 * Rejection; any other error is a 4xx.
 */
export abstract class MessageDelivery {
  /** Returns if the user may send from this address; else throws a Rejection. */
  abstract validateFrom(reversePath: ReversePath, parameters: MailParameters): MaybePromise<void>;

  /**
   * Returns if the user may send to this address; else throws a Rejection.
   *
   * @param mail What the client said with MAIL, its declared SIZE included (RFC 1870). The server
   * always gives it.
   */
  abstract validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void>;

  /**
   * Whose mailbox the text is that a client wants to be verified (RFC 5321 §3.5), if the user may
   * know; undefined leaves it open, which is what VRFY comes to without this method, too.
   */
  verify?(text: string): MaybePromise<Mailbox | undefined>;

  /** Begins one message for all of its recipients. */
  abstract openMessage(envelope: Envelope): MaybePromise<Message>;

  /**
   * The header field to be put before the message, without its line end; undefined for none. By
   * default {@link formatReceived}'s.
   */
  receivedHeader?(trace: ReceivedTrace): string | undefined;
}

/**
 * One message on its way into a place where it is kept. Either `end` or `abort` is called, once,
 * and after that nothing more.
 */
export interface Message {
  /**
   * False if no chunk is kept, nor a view of one, when its `write` is over: then its memory is
   * given back at once, which is faster and keeps the server small. Default: true.
   */
  readonly keepsChunks?: boolean;

  /**
   * The next server, if the message goes on, for a recipient counted from 0: who notifies the
   * sender asks for it when `end` is over.
   */
  nextHop?(recipient: number): NextHop | undefined;

  /**
   * True if the sender is sure to be told that the message failed for a recipient, counted from 0:
   * a notification is stored. The server asks when `end` is over. Without this method nobody is
   * told, and the client hears of each failure.
   */
  isNotified?(recipient: number): boolean;

  /** The next bytes, without dot stuffing. */
  write(chunk: Uint8Array): MaybePromise<void>;

  /**
   * The message is complete; resolves when it is safe, and only then the client is told so. The
   * results are one for each recipient, in the envelope's order; nothing returned means that all
   * were accepted. What is known of one recipient before the others it may tell at once, if there
   * is somebody to be told: who sends by LMTP hears it then, and it holds. Without `tell` the
   * client hears one reply for all recipients (SMTP): it is 250 only if no result is a failure of
   * which the sender is not told, and it is temporary if one result is. So a message that may be
   * kept for all recipients or for none does that.
   */
  end(tell?: ReportResult): MaybePromise<void | readonly RecipientResult[]>;

  /**
   * The message will not be completed: undo it. Comes while a write is pending only if that has
   * taken too long.
   */
  abort(reason: Error): MaybePromise<void>;
}

/** The next server of a message that goes on. */
export interface NextHop {
  /** Its domain, or an address literal. */
  readonly host: string;
  /**
   * What the sender may be told when it takes the message; undefined if it has DSN, and so tells
   * that itself (RFC 3461 §5.2).
   */
  readonly success: 'delivered' | 'relayed' | undefined;
  /** What it has said of the message; undefined if the connection broke before. */
  readonly reply: Reply | undefined;
}

/**
 * What became of a message for one recipient: undefined means accepted, as a positive reply does,
 * which LMTP passes on.
 */
export type RecipientResult = Reply | undefined;

/**
 * Tells what became of a message for one of its recipients, who are counted from 0. Does not throw.
 */
export type ReportResult = (recipient: number, result: RecipientResult) => void;
