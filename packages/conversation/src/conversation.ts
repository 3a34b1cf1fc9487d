import type { MaybePromise, Transport } from './transport.ts';

/** A protocol: leads one conversation from the greeting to the end. Rejects only with a bug of its own. */
export type Protocol = (conversation: Conversation) => Promise<void>;

/** How a message that ended with a line of one dot came. */
export interface HeardMessage {
  /** Octets without dot stuffing and without the end. */
  readonly octets: number;
  /** True if a CR or LF that was not part of a CRLF came along (RFC 5321 §2.3.8). */
  readonly bareLineEndings: boolean;
}

/** One connection's dialogue. */
export declare class Conversation {
  constructor(transport: Transport, options?: object);
  readonly transport: Transport;
  /** Aborts when the server wants to stop: finish what is under way, then take leave. */
  readonly closing: AbortSignal;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** How long a hear may wait for the peer, in milliseconds. */
  patience: number;
  /** True if something was heard that nobody has taken yet. */
  readonly hasInput: boolean;
  /** The next line without its CRLF, a character an octet (latin1); undefined once the peer has ended between two lines. */
  hearLine(maximum: number, interruptible?: boolean): MaybePromise<string | undefined>;
  /** Exactly so many octets, in pieces. */
  hearBytes(octets: number, take: (piece: Uint8Array) => MaybePromise<void>): Promise<void>;
  /** A dot-stuffed message (RFC 5321 §4.5.2), in pieces, up to its end. */
  hearMessage(take: (piece: Uint8Array) => MaybePromise<void>): Promise<HeardMessage>;
  /** Says something; it leaves together with what else is said before the next wait. */
  say(text: string): void;
  /** Sends what was said and not sent yet. */
  flush(): MaybePromise<void>;
  /** What the work comes to, or TimedOut after so many milliseconds. */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T>;
  /** Starts TLS; whatever was heard and not taken is dropped. */
  startTls(): Promise<void>;
  /** Sends what was said, ends, and closes when the peer has, or soon. */
  close(): Promise<void>;
  destroy(): void;
}
