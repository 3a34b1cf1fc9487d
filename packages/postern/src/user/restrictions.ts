import type { UserRecord } from '@postern/users';

/** Changes of when, and in which protocols, a user may log in. Null removes a restriction. */
export interface RestrictionChanges {
  readonly expires?: Date | null;
  readonly scopes?: readonly string[] | null;
  readonly mustChangePassword?: boolean;
}

/** Returns the record with the changes; a property without a restriction is left out. */
export function withRestrictions<R extends Pick<UserRecord, 'expires' | 'scopes' | 'mustChangePassword'>>(
  record: R,
  changes: RestrictionChanges,
): R {
  const isRestriction = ([, value]: [string, unknown]) => value !== null && value !== false;
  const { expires, scopes, mustChangePassword, ...rest } = { ...record, ...changes };
  const restrictions = Object.entries({ expires, scopes, mustChangePassword }).filter(
    (entry) => entry[1] !== undefined && isRestriction(entry),
  );
  return { ...rest, ...Object.fromEntries(restrictions) } as unknown as R;
}
