/** What a server answers in an exchange, unless it refuses. */
export type SaslReply =
  | { readonly state: 'challenge'; readonly payload: Uint8Array }
  /** The server reports success, in some protocols with a last word of the mechanism; undefined if there was none. */
  | { readonly state: 'success'; readonly payload: Uint8Array | undefined };

/**
 * A protocol, as far as SASL needs it: the framing of an exchange. It checks no order; SaslStateMachine does. Its methods reject
 * with AuthenticationFailure if the server refused the credentials, with SaslFailure if it refused anything else or its reply is
 * none, and with an error of their own when the connection is lost or the server has taken too long: every wait ends here.
 */
export interface SaslInterface {
  /**
   * Begins an exchange. An absent initial response is undefined, an empty one no bytes. Where the protocol cannot carry an initial
   * response, it waits for the empty challenge and responds with it (RFC 4422 §3.3).
   */
  initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply>;

  respond(response: Uint8Array): Promise<SaslReply>;

  /** Cancels the exchange (RFC 4422 §3.5). Resolves when the server has confirmed that. */
  abort(): Promise<void>;
}
