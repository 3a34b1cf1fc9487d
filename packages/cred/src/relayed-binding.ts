import type { ChannelBindingType } from '@postern/core';

/**
 * The channel binding of a client whose TLS ends at another server: a mail server, which has its
 * clients judged here and passes the data on.
 */
export interface RelayedBinding {
  /**
   * True if this server offered -PLUS mechanisms to the other server. A client that saw none then
   * has an attacker in its way (RFC 5802 §6).
   */
  readonly isOffered: boolean;
  /**
   * Requests the data of the type with the next challenge. Returns a function that returns the
   * data once the response has arrived, and undefined if none came with it.
   */
  request(type: ChannelBindingType): () => Uint8Array | undefined;
}
