import type { PieceReceiver } from './piece-receiver.ts';

/** Facts about a dot-stuffed message that `hearMessage` of a conversation has heard to its end. */
export interface HeardMessage {
  /** The size of the message, without dot stuffing and without the final line. */
  readonly octets: number;
  /**
   * True if the message has a CR or LF outside a CRLF (RFC 5321 §2.3.8). Always false for a
   * normalized message.
   */
  readonly bareLineEndings: boolean;
}

/** The receiver of a message for `receiveMessage` of a conversation. */
export type MessageReceiver = PieceReceiver<HeardMessage>;
