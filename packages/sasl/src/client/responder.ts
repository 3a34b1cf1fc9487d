import type { ChannelBindingType, TlsInfo } from '@postern/cred';

/**
 * Sends a message to the server and resolves with its next challenge, both as plain bytes in the
 * framing of the protocol. The first message may be undefined: no initial response. Resolves with
 * undefined once the server has reported success, without additional data.
 */
export type Say = (message: Uint8Array | undefined) => Promise<Uint8Array | undefined>;

/**
 * The client's half of a mechanism: turns the user's secret into the messages of an exchange. It
 * knows no base64 and no protocol. The state of one exchange lives in one call of `respond`.
 */
export interface Responder {
  /** The mechanism's registered name: 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1). */
  readonly mechanism: string;

  /**
   * True if a listener to an exchange can log in afterwards. `authenticate` uses such a mechanism
   * on secure channels only. Required, because a forgotten answer would send a password in the
   * clear.
   */
  readonly exposesSecret: boolean;

  /**
   * The rank among all mechanisms: see {@link STRENGTH}. Default: just above PLAIN if
   * `exposesSecret`, else just above DIGEST-MD5.
   */
  readonly strength?: number;

  /** True if the server speaks first: there is no initial response. Default: false. */
  readonly serverFirst?: boolean;

  /**
   * Returns why the mechanism cannot work on this channel, such as `needs channel binding`. Returns
   * undefined if it can.
   */
  unavailable?(channel: Channel): string | undefined;

  /**
   * Returns the type by which an exchange binds to this channel. Returns undefined if it does not
   * bind.
   */
  channelBinding?(channel: Channel): ChannelBindingType | undefined;

  /**
   * Runs an exchange. Resolves when `say` has resolved with undefined, and the server has proved
   * all that the mechanism demands.
   *
   * @throws SaslError if the mechanism fails or the server does not prove itself.
   */
  respond(say: Say, channel: Channel): Promise<void>;
}

/** The client's knowledge of the channel. */
export interface Channel {
  /** Undefined on a channel without TLS. */
  readonly tls: TlsInfo | undefined;
  /**
   * True if no attacker can listen: TLS with a verified server, or a server on the same machine.
   */
  readonly secure: boolean;
  /** The mechanisms that the server offers, as it wrote them. */
  readonly offered: readonly string[];
}

/** The user name and the password, for the mechanisms that rest on a password. */
export interface UserPassword {
  /** The authentication identity (authcid). */
  readonly username: string;
  readonly password: string;
}

/** The authorization identity, for the mechanisms that carry one. */
export interface AuthorizationOptions {
  /** The identity to act as (authzid). Default: the user. */
  readonly authzid?: string | undefined;
}
