import { isArgon2, readArgon2 } from './argon2.ts';
import { parseSecret } from './parse-secret.ts';
import { defaultPolicy, type PasswordPolicy } from './policy.ts';
import type { Crypt, Secret } from './secret.ts';

/**
 * Returns true if a user whose password is known should get new secrets: a SCRAM record of the
 * policy is missing or has too few iterations, a hash is weaker than the policy, or there is no
 * hash. An argon2id hash is as strong as the policy if it has at least the memory, and at least the
 * product of memory and passes. A user with a password in clear text, and one without a password,
 * keep their secrets.
 *
 * `password` is the one that a client has just sent. If one of the hashes depends only on its
 * beginning, as bcrypt on 72 octets, the rest may be wrong, and the function returns false.
 */
export function needsRehash(
  secrets: readonly string[],
  policy: PasswordPolicy = defaultPolicy,
  password?: string,
): boolean {
  const parsed = secrets.map(parseOrUndefined);
  if (password !== undefined && parsed.some((secret) => isCut(password, secret))) return false;
  if (parsed.some((secret) => secret?.kind === 'clear')) return false;
  if (parsed.every((secret) => secret?.kind === 'none')) return false;
  const hashes = secrets.filter((_text, index) => parsed[index] === undefined || parsed[index]?.kind === 'hash');
  if (hashes.length === 0 || !hashes.every((text) => isStrong(text, policy))) return true;
  return !policy.scram.every(({ hash, iterations }) =>
    parsed.some((secret) => scramStrength(secret, hash) >= iterations),
  );
}

/**
 * Returns the secrets of a user after a login with the password: the new forms of the same
 * password, and the stored forms that the new ones do not replace. These are keys of CRAM-MD5 and
 * DIGEST-MD5, SCRAM records of other hashes, and SCRAM records with more iterations. After a change
 * of the password, store the new forms alone.
 */
export function rehashedSecrets(stored: readonly string[], fresh: readonly string[]): readonly string[] {
  const kept = stored.filter((text) => isKept(parseOrUndefined(text), fresh));
  const replacements = fresh.filter((text) => !isReplacedBy(parseOrUndefined(text), kept));
  return [...replacements, ...kept];
}

/** A secret that this process cannot read counts as a weak hash. */
function parseOrUndefined(text: string): Secret | undefined {
  try {
    return parseSecret(text, { allowWeak: true, crypt: ANY_CRYPT });
  } catch {
    return undefined;
  }
}

function isCut(password: string, secret: Secret | undefined): boolean {
  return secret?.kind === 'hash' && secret.maxOctets !== undefined && Buffer.byteLength(password) > secret.maxOctets;
}

function isStrong(text: string, { argon2id: { memory, passes } }: PasswordPolicy): boolean {
  const phc = text.replace(ARGON2_BRACES, '');
  if (!isArgon2(phc)) return false;
  try {
    const hash = readArgon2(phc);
    const isCurrent = hash.type === 'argon2id' && hash.version === 19;
    return isCurrent && hash.memory >= memory && hash.memory * hash.passes >= memory * passes;
  } catch {
    return false;
  }
}

/** Returns the iterations of a SCRAM record of this hash, and 0 for any other secret. */
function scramStrength(secret: Secret | undefined, hash: string): number {
  return secret?.kind === 'scram' && secret.secret.hash === hash ? secret.secret.iterations : 0;
}

function isKept(secret: Secret | undefined, fresh: readonly string[]): boolean {
  if (secret === undefined) return false;
  if (secret.kind !== 'scram') return secret.kind === 'cram-md5' || secret.kind === 'digest-md5';
  const { hash, iterations } = secret.secret;
  return fresh.every((text) => scramStrength(parseOrUndefined(text), hash) < iterations);
}

function isReplacedBy(secret: Secret | undefined, kept: readonly string[]): boolean {
  if (secret?.kind !== 'scram') return false;
  return kept.some((text) => scramStrength(parseOrUndefined(text), secret.secret.hash) > 0);
}

/** Lets the parser read each hash of crypt(3). No hash is computed here. */
const ANY_CRYPT: Crypt = { work: () => ({ place: 'here', memory: 0 }), hash: async () => undefined };

/** The braces of Dovecot and OpenLDAP before an argon2 hash. */
const ARGON2_BRACES = /^\{ARGON2(?:ID|I)?\}/i;
