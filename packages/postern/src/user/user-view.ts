import { printable } from '@postern/esmtp';
import { SCRAM_HASHES } from '@postern/sasl';
import { type AppPassword, SecretError, type UserRecord } from '@postern/users';
import type { UserContext } from './user-context.ts';

/** A user as the command shows it, without secrets. The names are those of the JSON output. */
export interface UserView {
  readonly name: string;
  readonly state: 'enabled' | 'disabled' | 'expired' | 'must-change';
  /** The schemes of the password's stored forms: `argon2id`, `SCRAM-SHA-256`. */
  readonly schemes: readonly string[];
  /** Null for all protocols. */
  readonly scopes: readonly string[] | null;
  /** A date in ISO 8601; null for never. */
  readonly expires: string | null;
  readonly secondFactor: 'totp' | null;
  readonly appPasswords: readonly AppPasswordView[];
}

/** An application password as the command shows it. */
export interface AppPasswordView {
  readonly name: string;
  readonly schemes: readonly string[];
  /** Null for those of the user. */
  readonly scopes: readonly string[] | null;
  readonly expires: string | null;
  readonly lastUsed: string | null;
}

/** Returns what the command shows of a user. */
export function viewOf(
  user: UserRecord,
  { parseSecret }: Pick<UserContext, 'parseSecret'>,
  now = new Date(),
): UserView {
  return {
    name: user.name,
    state: stateOf(user, now),
    schemes: user.secrets.map((secret) => schemeOf(secret, parseSecret)),
    scopes: user.scopes ?? null,
    expires: user.expires?.toISOString() ?? null,
    secondFactor: user.totp === undefined ? null : 'totp',
    appPasswords: (user.appPasswords ?? []).map((password) => appPasswordViewOf(password, { parseSecret })),
  };
}

/** Returns what the command shows of an application password. */
export function appPasswordViewOf(
  { name, secrets, scopes, expires, lastUsed }: AppPassword,
  { parseSecret }: Pick<UserContext, 'parseSecret'>,
): AppPasswordView {
  return {
    name,
    schemes: secrets.map((secret) => schemeOf(secret, parseSecret)),
    scopes: scopes ?? null,
    expires: expires?.toISOString() ?? null,
    lastUsed: lastUsed?.toISOString() ?? null,
  };
}

/** Returns a list for the eye, or the word for an empty one. The text controls no terminal. */
export function listText(items: readonly string[] | null, otherwise: string): string {
  return items === null || items.length === 0 ? otherwise : printable(items.join(', '));
}

function stateOf({ enabled, expires, mustChangePassword }: UserRecord, now: Date): UserView['state'] {
  if (enabled === false) return 'disabled';
  if (expires !== undefined && expires <= now) return 'expired';
  return mustChangePassword === true ? 'must-change' : 'enabled';
}

/** Returns the scheme of a stored secret; for one that cannot be used, the reason. */
function schemeOf(text: string, parseSecret: UserContext['parseSecret']): string {
  try {
    const secret = parseSecret(text);
    switch (secret.kind) {
      case 'hash':
        return secret.scheme;
      case 'scram':
        return SCRAM_HASHES[secret.secret.hash].mechanism;
      case 'clear':
        return 'clear text';
      case 'none':
        return 'locked';
      default:
        return secret.kind.toUpperCase();
    }
  } catch (error) {
    if (error instanceof SecretError) return error.code;
    throw error;
  }
}
