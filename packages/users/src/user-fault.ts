import type { UserRecord } from './user-record.ts';

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
  let fault = partFault(user);
  for (const appPassword of appPasswords ?? []) fault ??= appPasswordFault(appPassword);
  return fault;
}

function appPasswordFault(appPassword: Parts | null | undefined): string | undefined {
  const fault = appPassword == null ? 'expected a record' : partFault(appPassword);
  return fault === undefined ? undefined : `appPasswords: ${fault}`;
}

/** The parts that a user and an application password have. */
type Parts = Pick<UserRecord, 'secrets' | 'scopes' | 'expires'>;

function partFault({ secrets, scopes, expires }: Parts): string | undefined {
  if (!isTexts(secrets)) return 'secrets: expected a list of texts';
  // A text in place of the list would permit each protocol whose name is a part of it.
  if (scopes != null && !isTexts(scopes)) return 'scopes: expected a list of texts';
  if (expires != null && typeof expires.getTime !== 'function') return 'expires: expected a Date';
  return undefined;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
