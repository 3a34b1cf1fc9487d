import type { ChannelBindingType, TlsInfo } from '@postern/cred';

/**
 * Says a message to the server and hears its next challenge, both as plain bytes; the protocol does the framing. The first message
 * may be undefined: no initial response. Resolves to undefined when the server has reported success and said no more with it.
 */
export type Say = (message: Uint8Array | undefined) => Promise<Uint8Array | undefined>;

/**
 * The client's half of a mechanism: holds what the user gave and says it as the mechanism wants it. It knows no base64 and no
 * protocol. What belongs to one exchange lives in its call of `respond`.
 */
export interface Responder {
  /** The mechanism's registered name: 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1). */
  readonly mechanism: string;

  /**
   * True if a listener to an exchange can log in afterwards. `authenticate` uses such a mechanism on
   * secure channels only. Required, because a forgotten answer would send a password in the clear.
   */
  readonly exposesSecret: boolean;

  /** The rank among all mechanisms: see {@link STRENGTH}. Default: just above PLAIN if `exposesSecret`, else just above DIGEST-MD5. */
  readonly strength?: number;

  /** True if the server speaks first: there is no initial response. */
  readonly serverFirst?: boolean;

  /** Why the mechanism cannot work on this channel (no channel binding); undefined if it can. */
  unavailable?(channel: Channel): string | undefined;

  /** The type by which an exchange on this channel is bound to it; undefined if it is not. */
  channelBinding?(channel: Channel): ChannelBindingType | undefined;

  /**
   * Leads an exchange up to the server's success: resolves when `say` has resolved to undefined and the server has proved all that
   * the mechanism has it prove. Rejects with a SaslError, or with what `say` rejects with.
   */
  respond(say: Say, channel: Channel): Promise<void>;
}

/** What a client knows of the channel that it authenticates on. */
export interface Channel {
  /** Undefined on a channel without TLS. */
  readonly tls: TlsInfo | undefined;
  /** True if nobody can listen in: TLS with a verified server, or a peer on the same machine. */
  readonly secure: boolean;
  /** The mechanisms that the server offers, as it wrote them. */
  readonly offered: readonly string[];
}

/** What a user logs in with, for the mechanisms that rest on a password. */
export interface UserPassword {
  /** The authentication identity (authcid). */
  readonly username: string;
  readonly password: string;
}

/** Whom to act as, for the mechanisms that can carry it. */
export interface AuthorizationOptions {
  /** The authorization identity; by default the user is nobody else. */
  readonly authzid?: string | undefined;
}
