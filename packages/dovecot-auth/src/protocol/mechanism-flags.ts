/**
 * The flags of a MECH line. Mail servers select mechanisms by them: Postfix by
 * `smtpd_sasl_security_options`.
 */
export type MechanismFlag =
  | 'plaintext'
  | 'dictionary'
  | 'active'
  | 'forward-secrecy'
  | 'mutual-auth'
  | 'channel-binding'
  | 'private';

/**
 * Returns the flags of a mechanism. One that the table lacks is `plaintext` if it exposes the
 * secret, and has no flag otherwise.
 */
export function mechanismFlags(mechanism: string, exposesSecret: boolean): readonly MechanismFlag[] {
  if (SCRAM.test(mechanism)) return mechanism.endsWith('-PLUS') ? BOUND_SCRAM : MUTUAL;
  return FLAGS.get(mechanism) ?? (exposesSecret ? PLAINTEXT : NO_FLAGS);
}

const PLAINTEXT: readonly MechanismFlag[] = ['plaintext'];
const MUTUAL: readonly MechanismFlag[] = ['mutual-auth'];
const BOUND_SCRAM: readonly MechanismFlag[] = ['mutual-auth', 'channel-binding'];
const NO_FLAGS: readonly MechanismFlag[] = [];
const SCRAM = /^SCRAM-/;

/**
 * The flags by mechanism, as Dovecot lists them. A token in OAUTHBEARER is no password, so a mail
 * server with `noplaintext` may offer it.
 */
const FLAGS: ReadonlyMap<string, readonly MechanismFlag[]> = new Map<string, readonly MechanismFlag[]>([
  ['PLAIN', PLAINTEXT],
  ['LOGIN', PLAINTEXT],
  ['CRAM-MD5', ['dictionary', 'active']],
  ['DIGEST-MD5', ['dictionary', 'active', 'mutual-auth']],
  ['OAUTHBEARER', NO_FLAGS],
  ['XOAUTH2', NO_FLAGS],
]);
