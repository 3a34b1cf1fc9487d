import { canonicalName } from './canonical-name.ts';
import { SecretError } from './errors.ts';
import { parseSecret } from './secrets/parse-secret.ts';
import { MAX_APP_PASSWORDS } from './user-fault.ts';
import type { UserRecord } from './user-record.ts';

/**
 * Returns the canonical name of a record that a user database can store: its key. Secrets that
 * `stored` has already are not checked, so that a user with an old fault can still be changed.
 *
 * @throws SecretError for a text that is no stored secret. It may be a password in clear text.
 * @throws TypeError for a record that no database can store: its name can be no name, a secret
 * holds NUL, or a date is invalid. So does one with two application passwords of one name, or with
 * more than 1,000 of them.
 */
export function userKey(user: UserRecord, stored?: UserRecord): string {
  const key = canonicalName(user.name);
  if (key === undefined) throw new TypeError(`${JSON.stringify(user.name.slice(0, 64))} cannot be the name of a user`);
  const appPasswords = user.appPasswords ?? [];
  const known = stored === undefined ? [] : secretsOf(stored);
  for (const text of secretsOf(user)) checkSecret(text, user.name, known);
  for (const date of [user.expires, ...appPasswords.flatMap((app) => [app.expires, app.lastUsed])]) {
    if (date !== undefined && Number.isNaN(date.getTime())) throw new TypeError(`a date of ${user.name} is invalid`);
  }
  if (appPasswords.length > MAX_APP_PASSWORDS) {
    throw new TypeError(`${user.name} has more than ${MAX_APP_PASSWORDS} application passwords`);
  }
  if (new Set(appPasswords.map((app) => app.name)).size < appPasswords.length) {
    throw new TypeError(`two application passwords of ${user.name} have one name`);
  }
  return key;
}

/**
 * Returns the result of a change of a user.
 *
 * @throws TypeError if the change renames the user.
 * @throws the error of {@link userKey} for a record that no database can store.
 */
export function changedUser(
  key: string,
  user: UserRecord,
  change: (user: UserRecord) => UserRecord | undefined,
): UserRecord | undefined {
  const changed = change(user);
  if (changed !== undefined && userKey(changed, user) !== key) {
    throw new TypeError(`an update cannot rename ${user.name} to ${changed.name}`);
  }
  return changed;
}

/** Returns the forms of all passwords of a user. */
function secretsOf({ secrets, appPasswords = [] }: UserRecord): readonly string[] {
  return [...secrets, ...appPasswords.flatMap((app) => app.secrets)];
}

function checkSecret(text: string, username: string, known: readonly string[]): void {
  // SQLite and PostgreSQL cut a text at NUL or refuse it.
  if (text.includes('\0')) throw new TypeError(`a secret of ${username} holds NUL`);
  if (known.includes(text)) return;
  try {
    parseSecret(text, { allowWeak: true });
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    // The process that judges logins may have libcrypt.
    if (error.code === 'unavailable-scheme') return;
    throw new SecretError(error.code, `user ${JSON.stringify(username)}: ${error.message}`, { cause: error });
  }
}
