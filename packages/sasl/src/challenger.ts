import type { Ask, Credentials, Interface, Mind } from '@postern/cred';

/**
 * The server's half of a mechanism: parses an exchange into credentials, and never judges them. It knows no base64, no portal and
 * no protocol. One challenger serves all connections: what belongs to one exchange lives in its call of `challenge`.
 */
export interface Challenger<C extends Credentials = Credentials> {
  /** The mechanism's registered name: 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1). */
  readonly mechanism: string;

  /** The class of the credentials it makes: without a checker for them the mechanism is not offered. */
  readonly credentials: Interface<C>;

  /**
   * True if a listener to an exchange can log in afterwards. `offered` keeps such a mechanism off
   * channels without TLS. Required, because a forgotten answer would offer a password in the clear.
   */
  readonly exposesSecret: boolean;

  /** True if the server speaks first, so that an initial response is an error (RFC 4422 §5, RFC 4954 §4). */
  readonly serverFirst?: boolean;

  /** Why the mechanism cannot work on this connection (no client certificate, no channel binding); undefined if it can. */
  unavailable?(mind: Mind): string | undefined;

  /**
   * Leads an exchange up to the point where there is something to check. An absent initial response is undefined; an empty one
   * is no bytes. Rejects with MalformedResponse, with what `ask` rejects with, or with a LoginError if there is nothing to check.
   */
  challenge(ask: Ask, initialResponse: Uint8Array | undefined, mind: Mind): Promise<C>;
}
