import { type UserRecord, UserStoreError } from '@postern/users';

/**
 * Returns a record as JSON. Dates become texts of ISO 8601.
 *
 * @throws TypeError if a text holds NUL or half a surrogate pair, which PostgreSQL refuses.
 */
export function userToJson(user: UserRecord): string {
  const json = JSON.stringify(user);
  // JSON escapes both, and nothing else that begins with `\u0000` or `\ud`.
  if (/\\u(?:0000|d[89a-f])/.test(json.replaceAll('\\\\', ''))) {
    throw new TypeError(`a text of the user ${JSON.stringify(user.name)} holds NUL or half a surrogate pair`);
  }
  return json;
}

/**
 * Returns the record of a parsed JSON value.
 *
 * @throws UserStoreError if the value is no record, for example after a change by hand.
 */
export function userFromJson(key: string, value: unknown): UserRecord {
  if (!isStoredUser(value)) {
    throw new UserStoreError(`the record of the user ${JSON.stringify(key)} in the database is malformed`);
  }
  const { expires, appPasswords, ...user } = value;
  return {
    ...user,
    ...(expires !== undefined && { expires: new Date(expires) }),
    ...(appPasswords !== undefined && { appPasswords: appPasswords.map(appPasswordFrom) }),
  };
}

type StoredAppPassword = Dated<NonNullable<UserRecord['appPasswords']>[number], 'expires' | 'lastUsed'>;
type StoredUser = Dated<Omit<UserRecord, 'appPasswords'>, 'expires'> & {
  readonly appPasswords?: readonly StoredAppPassword[];
};
type Dated<T, K extends keyof T> = Omit<T, K> & { readonly [key in K]?: string };

function appPasswordFrom({ expires, lastUsed, ...password }: StoredAppPassword): AppPasswordOf<UserRecord> {
  return {
    ...password,
    ...(expires !== undefined && { expires: new Date(expires) }),
    ...(lastUsed !== undefined && { lastUsed: new Date(lastUsed) }),
  };
}

type AppPasswordOf<T extends UserRecord> = NonNullable<T['appPasswords']>[number];

/** Checks the parts without which a login would be judged wrongly or a checker would throw. */
function isStoredUser(value: unknown): value is StoredUser {
  if (!isObject(value)) return false;
  const { name, secrets, enabled, mustChangePassword, expires, scopes, appPasswords, totp } = value;
  return (
    typeof name === 'string' &&
    isTexts(secrets) &&
    isOptional(enabled, (flag) => typeof flag === 'boolean') &&
    isOptional(mustChangePassword, (flag) => typeof flag === 'boolean') &&
    isOptional(expires, isTime) &&
    isOptional(scopes, isTexts) &&
    isOptional(totp, isTotp) &&
    isOptional(appPasswords, (list) => Array.isArray(list) && list.every(isStoredAppPassword))
  );
}

function isStoredAppPassword(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, secrets, scopes, expires, lastUsed } = value;
  return (
    typeof name === 'string' &&
    isTexts(secrets) &&
    isOptional(scopes, isTexts) &&
    isOptional(expires, isTime) &&
    isOptional(lastUsed, isTime)
  );
}

function isTotp(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { secret } = value;
  return typeof secret === 'string';
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
