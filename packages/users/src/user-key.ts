import { canonicalName } from './canonical-name.ts';
import type { UserRecord } from './user-record.ts';

/**
 * Returns the canonical name of a record that a user database can store: its key.
 *
 * @throws TypeError for a record that no database can store: its name can be no name, a secret
 * holds NUL, a date is invalid, or two application passwords have one name.
 */
export function userKey(user: UserRecord): string {
  const key = canonicalName(user.name);
  if (key === undefined) throw new TypeError(`${JSON.stringify(user.name.slice(0, 64))} cannot be the name of a user`);
  const appPasswords = user.appPasswords ?? [];
  for (const secrets of [user.secrets, ...appPasswords.map((app) => app.secrets)]) {
    // SQLite and PostgreSQL cut a text at NUL or refuse it.
    if (secrets.some((text) => text.includes('\0'))) throw new TypeError(`a secret of ${user.name} holds NUL`);
  }
  for (const date of [user.expires, ...appPasswords.flatMap((app) => [app.expires, app.lastUsed])]) {
    if (date !== undefined && Number.isNaN(date.getTime())) throw new TypeError(`a date of ${user.name} is invalid`);
  }
  if (new Set(appPasswords.map((app) => app.name)).size < appPasswords.length) {
    throw new TypeError(`two application passwords of ${user.name} have one name`);
  }
  return key;
}

/**
 * Returns the result of a change of a user.
 *
 * @throws TypeError if the change renames the user, or makes a record that {@link userKey} refuses.
 */
export function changedUser(
  key: string,
  user: UserRecord,
  change: (user: UserRecord) => UserRecord | undefined,
): UserRecord | undefined {
  const changed = change(user);
  if (changed !== undefined && userKey(changed) !== key) {
    throw new TypeError(`an update cannot rename ${user.name} to ${changed.name}`);
  }
  return changed;
}
