import { UserStoreError } from '../errors.ts';
import { userFault } from '../user-fault.ts';
import type { AppPassword, UserRecord } from '../user-record.ts';

/** The columns of a record, in the order of {@link toRow}. */
export const COLUMNS = [
  'name',
  'secrets',
  'enabled',
  'expires',
  'must_change_password',
  'scopes',
  'app_passwords',
  'totp',
];

/** The values of a row, in the order of {@link COLUMNS}. */
export type Row = readonly (string | number | null)[];

/** Returns the row of a record. */
export function toRow(user: UserRecord): Row {
  return [
    user.name,
    JSON.stringify(user.secrets),
    user.enabled === false ? 0 : 1,
    user.expires?.getTime() ?? null,
    user.mustChangePassword === true ? 1 : 0,
    toJson(user.scopes),
    user.appPasswords === undefined || user.appPasswords.length === 0 ? null : JSON.stringify(user.appPasswords),
    toJson(user.totp),
  ];
}

/**
 * Returns the record of a row.
 *
 * @throws UserStoreError for a row that another program has written. The message holds no secret.
 */
export function fromRow(row: Row, path: string): UserRecord {
  const [name, secrets, enabled, expires, mustChangePassword, scopes, appPasswords, totp] = row as Columns;
  let fault: string | undefined = NO_JSON;
  try {
    const user: UserRecord = {
      name,
      secrets: fromJson(secrets),
      ...(enabled === 0 && { enabled: false }),
      ...(expires !== null && { expires: toDate(expires) }),
      ...(mustChangePassword !== 0 && { mustChangePassword: true }),
      ...(scopes !== null && { scopes: fromJson<string[]>(scopes) }),
      ...(appPasswords !== null && { appPasswords: fromJson<StoredAppPassword[]>(appPasswords).map(toAppPassword) }),
      ...(totp !== null && { totp: fromJson<NonNullable<UserRecord['totp']>>(totp) }),
    };
    fault = userFault(user);
    if (fault === undefined) return user;
  } catch {
    // The message of a SyntaxError quotes the text.
  }
  throw new UserStoreError(`the user database ${path} has a malformed row of ${JSON.stringify(name)}: ${fault}`);
}

type Columns = readonly [
  name: string,
  secrets: string,
  enabled: number,
  expires: number | null,
  mustChangePassword: number,
  scopes: string | null,
  appPasswords: string | null,
  totp: string | null,
];

/** An application password in JSON, with its dates in ISO 8601. */
interface StoredAppPassword extends Omit<AppPassword, 'expires' | 'lastUsed'> {
  readonly expires?: string;
  readonly lastUsed?: string;
}

function toAppPassword({ expires, lastUsed, ...rest }: StoredAppPassword): AppPassword {
  return {
    ...rest,
    ...(expires !== undefined && { expires: toDate(expires) }),
    ...(lastUsed !== undefined && { lastUsed: toDate(lastUsed) }),
  };
}

/** The JSON `null` is malformed: it would remove a restriction or a second factor. */
function fromJson<T>(text: string): T {
  const value = JSON.parse(text) as T | null;
  if (value === null) throw new TypeError('null');
  return value;
}

function toDate(time: number | string): Date {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new RangeError('no time');
  return date;
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

const NO_JSON = 'expected JSON in secrets, scopes, app_passwords and totp, and times';
