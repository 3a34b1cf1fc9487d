import type { MaybePromise } from '@postern/core';
import type { Ask, Credentials, Interface, Mind } from '@postern/cred';

/**
 * The server's half of a mechanism. A challenger turns an exchange into credentials and judges
 * nothing: it knows no base64, no portal and no protocol. One challenger serves all connections.
 * The state of one exchange lives in one call of `challenge`.
 *
 * @example
 * ```ts
 * import { UsernamePassword } from '@postern/cred';
 * import { type Challenger, decodeUtf8, encodeUtf8, MalformedResponse } from '@postern/sasl';
 *
 * export const pinAndName: Challenger<UsernamePassword> = {
 *   mechanism: 'X-PIN',
 *   credentials: UsernamePassword,
 *   exposesSecret: true,
 *   async challenge(ask, initialResponse) {
 *     const name = decodeUtf8(initialResponse ?? (await ask(encodeUtf8('Name:'))));
 *     const pin = decodeUtf8(await ask(encodeUtf8('PIN:')));
 *     if (name === undefined || pin === undefined) throw new MalformedResponse('not UTF-8', 'encoding');
 *     return new UsernamePassword(name, pin);
 *   },
 * };
 * ```
 */
export interface Challenger<C extends Credentials = Credentials> {
  /** The mechanism's registered name: 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1). */
  readonly mechanism: string;

  /**
   * The class of the credentials that `challenge` returns. Without a checker for it the mechanism
   * is not offered.
   */
  readonly credentials: Interface<C>;

  /**
   * True if a listener to an exchange can log in afterwards. `offered` keeps such a mechanism off
   * channels without TLS. Required, because a forgotten answer would offer a password in the clear.
   */
  readonly exposesSecret: boolean;

  /**
   * True if the server speaks first, so that an initial response is an error (RFC 4422 §5, RFC 4954
   * §4). Default: false.
   */
  readonly serverFirst?: boolean;

  /**
   * True if no attacker can relay an exchange from one TLS channel to another: see {@link
   * ChannelBindingPolicy}. Default: false.
   */
  readonly bindsToChannel?: boolean;

  /**
   * True for a historic mechanism, which `defaultChallengers` returns only if it is named. Default:
   * false.
   */
  readonly isHistoric?: boolean;

  /**
   * The rank among all mechanisms: see {@link STRENGTH}. Default: just above PLAIN if
   * `exposesSecret`, else just above DIGEST-MD5.
   */
  readonly strength?: number;

  /**
   * Returns why the mechanism cannot work on this connection, such as `needs channel binding`.
   * Returns undefined if it can.
   */
  unavailable?(mind: Mind): string | undefined;

  /**
   * Runs an exchange up to the point where a checker can judge it. `initialResponse` is undefined
   * if the client sent none, and no bytes if it sent an empty one. Returns the credentials
   * synchronously if the client has nothing more to send, as PLAIN does after an initial response.
   *
   * @throws MalformedResponse for a response outside the mechanism's grammar.
   * @throws LoginError if nothing is left to check: the client is refused already.
   */
  challenge(ask: Ask, initialResponse: Uint8Array | undefined, mind: Mind): MaybePromise<C>;
}
