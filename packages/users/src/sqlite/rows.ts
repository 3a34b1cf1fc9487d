import { UserStoreError } from '../errors.ts';
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
  try {
    return {
      name,
      secrets: JSON.parse(secrets) as string[],
      ...(enabled === 0 && { enabled: false }),
      ...(expires !== null && { expires: new Date(expires) }),
      ...(mustChangePassword !== 0 && { mustChangePassword: true }),
      ...(scopes !== null && { scopes: JSON.parse(scopes) as string[] }),
      ...(appPasswords !== null && {
        appPasswords: (JSON.parse(appPasswords) as StoredAppPassword[]).map(toAppPassword),
      }),
      ...(totp !== null && { totp: JSON.parse(totp) as NonNullable<UserRecord['totp']> }),
    };
  } catch {
    // The message of a SyntaxError quotes the text.
    throw new UserStoreError(`the user database ${path} has malformed JSON in the row of ${JSON.stringify(name)}`);
  }
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
    ...(expires !== undefined && { expires: new Date(expires) }),
    ...(lastUsed !== undefined && { lastUsed: new Date(lastUsed) }),
  };
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
