import type { MaybePromise } from '@postern/core';
import type { AvatarId, Mind } from '@postern/cred';
import type { ForwardPath, Mailbox, ReversePath } from './protocol/address.ts';
import type { MailParameters, RcptParameters } from './protocol/parameters.ts';
import type { Reply } from './protocol/reply.ts';

export type { MailParameters, RcptParameters } from './protocol/parameters.ts';

/** An accepted recipient. */
export interface Recipient {
  readonly forwardPath: ForwardPath;
  readonly parameters: RcptParameters;
  /** The address that the client named, if `forwardPath` comes from an alias. */
  readonly originalPath?: ForwardPath;
}

/** The envelope of a message. */
export interface Envelope {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** At least one. */
  readonly recipients: readonly Recipient[];
  /**
   * Letters and digits, unique in time and on this host; part of the `Received:` field and of the
   * reply.
   */
  readonly id: string;
}

/** The content of a `Received:` field (RFC 5321 §4.4). */
export interface ReceivedTrace {
  readonly mind: Mind;
  readonly avatarId: AvatarId;
  /** The name of this server. */
  readonly hostname: string;
  /** The client's host name, from the lookup of a trusted peer (XCLIENT). */
  readonly remoteName?: string | undefined;
  /**
   * True omits the client's address and names (option `omitClientFromReceived`). Default: false.
   */
  readonly omitClient?: boolean;
  /** The registered "with" keyword: `ESMTPSA` (RFC 3848), `UTF8SMTPSA` (RFC 6531). */
  readonly protocol: string;
  readonly envelope: Envelope;
  readonly date: Date;
}

/**
 * The avatar of ESMTP: the object through which one user sends messages. A method refuses by
 * throwing a {@link Rejection}; each other error is a 451 to the client, and an `error` event.
 *
 * A realm provides objects of a class that extends this class. The compiler and the portal refuse
 * an object literal with these methods.
 *
 * @example
 * ```ts
 * import { type Envelope, type ForwardPath, type Message } from '@postern/esmtp';
 * import { MessageDelivery, Rejection } from '@postern/esmtp';
 *
 * export class LocalDelivery extends MessageDelivery {
 *   validateFrom(): void {}
 *
 *   validateTo(forwardPath: ForwardPath): void {
 *     if (forwardPath.domain !== 'example.com') throw new Rejection(550, '5.7.1', 'Relaying denied');
 *   }
 *
 *   openMessage({ id }: Envelope): Message {
 *     let octets = 0;
 *     return {
 *       write: (chunk) => void (octets += chunk.length),
 *       end: () => console.log(`${id}: ${octets} octets`),
 *       abort: (reason) => console.log(`${id}: ${reason.message}`),
 *     };
 *   }
 * }
 * ```
 */
export abstract class MessageDelivery {
  /** Makes the class nominal. Nothing reads it, and it does not exist at run time. */
  declare protected readonly messageDelivery: never;

  /**
   * Returns if the user may send from this address.
   *
   * @throws Rejection if the user may not.
   */
  abstract validateFrom(reversePath: ReversePath, parameters: MailParameters): MaybePromise<void>;

  /**
   * Returns if the user may send to this address.
   *
   * @param mail The parameters of MAIL, with its declared SIZE (RFC 1870). The server always passes
   * them.
   * @throws Rejection if the user may not.
   */
  abstract validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void>;

  /**
   * Returns the mailbox that the text of a VRFY names (RFC 5321 §3.5), if the user may know it.
   * Undefined, and a delivery without this method, make the reply 252.
   */
  verify?(text: string): MaybePromise<Mailbox | undefined>;

  /** Opens one message for all recipients of the envelope. */
  abstract openMessage(envelope: Envelope): MaybePromise<Message>;

  /**
   * Returns the header field to put before the message, without its line ending; undefined for
   * none. Default: the field that `formatReceived` returns.
   */
  receivedHeader?(trace: ReceivedTrace): string | undefined;
}

/**
 * Checks a constructor's argument, for callers without a compiler.
 *
 * @throws TypeError for an object that is not of a class that extends {@link MessageDelivery}.
 */
export function checkDelivery(delivery: MessageDelivery, argument: string): void {
  if (delivery instanceof MessageDelivery) return;
  throw new TypeError(`${argument}: expected an object of a class that extends MessageDelivery, not an object literal`);
}

/**
 * A message that the server writes. The server calls either `end` or `abort`, once, and nothing
 * after that.
 */
export interface Message {
  /**
   * False if the message keeps no chunk, nor a view of one, after its `write`: then the server
   * reuses the memory at once. Default: true.
   */
  readonly keepsChunks?: boolean;

  /**
   * Returns the next server of a message that is relayed, for a recipient counted from 0. The
   * server calls it after `end`.
   */
  nextHop?(recipient: number): NextHop | undefined;

  /**
   * Returns true if a notification of the failure for a recipient, counted from 0, is stored. The
   * server calls it after `end`. Without this method the client gets each failure as its reply.
   */
  isNotified?(recipient: number): boolean;

  /** Writes the next octets, without dot stuffing. A promise slows the client down. */
  write(chunk: Uint8Array): MaybePromise<void>;

  /**
   * Keeps the message, and resolves when it is safe: only then the client gets 250.
   *
   * Returns nothing if all recipients have the message, or one {@link Reply} for all of them: the
   * client gets a 2xx reply as it is, such as one with a queue id. Returns a list of results if
   * they differ, in the envelope's order. In SMTP one reply stands for all recipients. It is 250
   * only if each failure is notified, and temporary if one failure is: a message that can be kept
   * for all or for none should be.
   *
   * @param report Reports the result of one recipient before the others are known. Present in LMTP,
   * where the client then gets that recipient's reply at once.
   */
  end(report?: ReportResult): MaybePromise<EndResult>;

  /**
   * Discards the message, which will not be completed. The server calls it during a pending `write`
   * only after that has taken too long.
   */
  abort(reason: Error): MaybePromise<void>;
}

/** The next server of a message that is relayed. */
export interface NextHop {
  /** The domain or address literal of the server. */
  readonly host: string;
  /**
   * The success that the sender may be notified of when the server takes the message; undefined if
   * the server has DSN, and so notifies the sender itself (RFC 3461 §5.2).
   */
  readonly success: 'delivered' | 'relayed' | undefined;
  /** The server's reply to the message; undefined if the connection broke before. */
  readonly reply: Reply | undefined;
}

/**
 * The result of a message for one recipient. Undefined, and a positive reply, mean that the
 * recipient has the message. LMTP passes the reply on.
 */
export type RecipientResult = Reply | undefined;

/** The return value of {@link Message.end}. */
export type EndResult = void | Reply | readonly RecipientResult[];

/** Reports the result of a message for one recipient, counted from 0. Never throws. */
export type ReportResult = (recipient: number, result: RecipientResult) => void;
