import type { AppPassword, UserRecord } from './user-record.ts';

/**
 * Returns why a value is no {@link UserRecord}, for the operator, such as `scopes: expected a list
 * of texts`. Returns undefined for a record. A field that is not set may be null. The text holds no
 * value.
 */
export function userFault(user: UserRecord): string | undefined {
  const { name, totp, appPasswords } = user;
  if (typeof name !== 'string' || name === '') return 'name: expected a text';
  if (totp != null && typeof totp.secret !== 'string') return 'totp: expected a record with a secret';
  if (appPasswords != null && !Array.isArray(appPasswords)) return 'appPasswords: expected a list';
  if ((appPasswords?.length ?? 0) > MAX_APP_PASSWORDS) {
    return `appPasswords: expected at most ${MAX_APP_PASSWORDS}`;
  }
  let fault = partFault(user);
  for (const appPassword of appPasswords ?? []) fault ??= appPasswordFault(appPassword);
  return fault;
}

function appPasswordFault(appPassword: AppPassword | null | undefined): string | undefined {
  const fault = appPassword == null ? 'expected a record' : (partFault(appPassword) ?? useFault(appPassword));
  return fault === undefined ? undefined : `appPasswords: ${fault}`;
}

function useFault({ lastUsed }: AppPassword): string | undefined {
  return isDate(lastUsed) ? undefined : 'lastUsed: expected a Date';
}

/** The parts that a user and an application password have. */
type Parts = Pick<UserRecord, 'secrets' | 'scopes' | 'expires'>;

function partFault({ secrets, scopes, expires }: Parts): string | undefined {
  if (!isTexts(secrets)) return 'secrets: expected a list of texts';
  // A text in place of the list would permit each protocol whose name is a part of it.
  if (scopes != null && !isTexts(scopes)) return 'scopes: expected a list of texts';
  return isDate(expires) ? undefined : 'expires: expected a Date';
}

/** Returns true also for a time that is not set. */
function isDate(time: Date | null | undefined): boolean {
  return time == null || typeof time.getTime === 'function';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/**
 * The application passwords of one user. A login compares with each: 1,000 hashes of
 * `generateAppPassword` take the event loop 10 to 60 ms.
 */
export const MAX_APP_PASSWORDS = 1_000;
