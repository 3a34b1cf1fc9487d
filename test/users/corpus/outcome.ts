import type { SecretError } from '@postern/users';

/**
 * Returns the outcome of `parseSecret` for a text that a tool of the corpus wrote with a command:
 * a secret that can be verified, no password, or the code of the error.
 */
export function outcomeOf(tool: string, command: string): 'verified' | 'none' | SecretError['code'] {
  if (LOCKED[tool]?.test(command)) return 'none';
  return REFUSED[tool]?.find(([form]) => form.test(command))?.[1] ?? 'verified';
}

/** Texts that Postern does not compare with a password: an error for the operator at import. */
const REFUSED: Readonly<Record<string, readonly [RegExp, SecretError['code']][]>> = {
  doveadm: [
    [/-s OTP /, 'unknown-scheme'],
    // Dovecot writes the password without the length that its own verification wants.
    [/-s PLAIN-TRUNC /, 'malformed-secret'],
  ],
  // The fifth field holds the SaltedPassword, with which a thief logs in.
  gsasl: [[/--verbose/, 'malformed-secret']],
  // A password in clear text without a prefix.
  htpasswd: [[/ -p /, 'unknown-scheme']],
  slappasswd: [[/{CLEARTEXT}/, 'unknown-scheme']],
  passlib: [
    // Without {CRYPT} it could be a password.
    [/hash\.bigcrypt\./, 'unknown-scheme'],
    [
      /\.(bcrypt_sha256|atlassian_pbkdf2_sha1|django_\w+|cta_pbkdf2_sha1|phpass|mysql41|nthash|scram)\./,
      'unknown-scheme',
    ],
  ],
  postgresql: [[/'md5'/, 'unknown-scheme']],
};

/** Fields without a password. */
const LOCKED: Readonly<Record<string, RegExp>> = {
  htpasswd: /-r 10 /,
  passlib: /unix_disabled/,
  shadow: /^useradd --prefix DIR joe$|-L joe$/,
};
