import type { UserRecord } from '@postern/users';
import { parseExpires, parseScopes } from './user-values.ts';

/** Changes of when, and in which protocols, a user may log in. Null removes a restriction. */
export interface RestrictionChanges {
  readonly expires?: Date | null;
  readonly scopes?: readonly string[] | null;
  readonly mustChangePassword?: boolean;
}

/**
 * Returns the changes of `--expires` and `--scopes`.
 *
 * @throws UsageError
 */
export function restrictionsOf({ expires, scopes }: RestrictionOptions): RestrictionChanges {
  return {
    ...(expires !== undefined && { expires: parseExpires(expires) }),
    ...(scopes !== undefined && { scopes: parseScopes(scopes) }),
  };
}

/** The options of a command that restricts a user or an application password. */
interface RestrictionOptions {
  readonly expires: string | undefined;
  readonly scopes: string | undefined;
}

/** Returns the record with the changes; a property without a restriction is left out. */
export function withRestrictions<R extends Pick<UserRecord, 'expires' | 'scopes' | 'mustChangePassword'>>(
  record: R,
  changes: RestrictionChanges,
): R {
  const { expires, scopes, mustChangePassword, ...rest } = { ...record, ...changes };
  const restrictions = {
    ...(expires != null && { expires }),
    ...(scopes != null && { scopes }),
    ...(mustChangePassword === true && { mustChangePassword }),
  };
  return { ...rest, ...restrictions } as unknown as R;
}
