/** The server's answer in an exchange, unless the server refuses. */
export type SaslReply =
  | { readonly state: 'challenge'; readonly payload: Uint8Array }
  /**
   * The server reports success. `payload` is the additional data of the outcome (RFC 4422 §3.6), if
   * there is any.
   */
  | { readonly state: 'success'; readonly payload: Uint8Array | undefined };

/**
 * A protocol, as far as SASL needs it: the framing of an exchange. It checks no order, which {@link
 * SaslStateMachine} does. Each method rejects with AuthenticationFailure if the server refuses the
 * credentials, and with SaslFailure if it refuses anything else or its reply is malformed. It
 * rejects with an error of its own if the connection is lost or the server is silent for too long.
 *
 * @example
 * ```ts
 * import type { SaslInterface, SaslReply } from '@postern/sasl/client';
 *
 * export class Pop3Sasl implements SaslInterface {
 *   async initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply> {
 *     const base64 = initialResponse && (Buffer.from(initialResponse).toString('base64') || '=');
 *     return this.#command(['AUTH', mechanism, base64].filter(Boolean).join(' '));
 *   }
 *
 *   async respond(response: Uint8Array): Promise<SaslReply> {
 *     return this.#command(Buffer.from(response).toString('base64'));
 *   }
 *
 *   async abort(): Promise<void> {
 *     await this.#command('*');
 *   }
 *
 *   async #command(line: string): Promise<SaslReply> {
 *     throw new Error(`send ${line} and parse the reply`);
 *   }
 * }
 * ```
 */
export interface SaslInterface {
  /**
   * Begins an exchange. Undefined is an absent initial response, no bytes an empty one. A protocol
   * that carries no initial response sends it in answer to the empty challenge (RFC 4422 §3.3).
   */
  initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply>;

  /** Sends a response, and resolves with the server's next challenge or its success. */
  respond(response: Uint8Array): Promise<SaslReply>;

  /** Cancels the exchange (RFC 4422 §3.5). Resolves when the server has confirmed that. */
  abort(): Promise<void>;
}
