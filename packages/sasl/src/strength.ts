/**
 * The tiers of strength, from weak to strong: what an attacker on the channel gains from one
 * exchange. A client tries the strongest mechanism first, and a server lists it first. Mechanisms
 * of one tier add a number below 100.
 */
export const STRENGTH = {
  /** Proves nothing: ANONYMOUS. */
  none: 0,
  /** The attacker reads the password: PLAIN, LOGIN. */
  password: 100,
  /**
   * The attacker can guess the password offline, and a server stores it in clear text: CRAM-MD5,
   * DIGEST-MD5.
   */
  digest: 200,
  /** The attacker reads a token, which expires: OAUTHBEARER, XOAUTH2. */
  token: 300,
  /** The attacker gains a slow test for guesses, and the server proves itself: SCRAM. */
  proof: 400,
  /** The TLS handshake proves the identity: EXTERNAL. */
  certificate: 500,
  /** As `proof`, and no other TLS channel can carry the exchange: SCRAM with -PLUS. */
  bound: 600,
} as const;

/** A mechanism of either half, as far as its rank depends on it. */
interface Ranked {
  readonly exposesSecret: boolean;
  readonly strength?: number;
}

/**
 * Orders mechanisms, the strongest first. A mechanism without a strength stands just above its
 * kind.
 */
export function byStrength(a: Ranked, b: Ranked): number {
  return strengthOf(b) - strengthOf(a);
}

function strengthOf({ strength, exposesSecret }: Ranked): number {
  return strength ?? (exposesSecret ? STRENGTH.password : STRENGTH.digest) + 50;
}
