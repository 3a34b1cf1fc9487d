import { existsSync } from 'node:fs';
import { underName } from './errors.ts';
import { parseSpec } from './option-values.ts';
import { type UserStoreSpec, userStoreSpecs } from './user-store-spec.ts';

/**
 * Returns the user database of commands that name none: `POSTERN_DB`, or `postern.db` in the
 * current folder.
 *
 * @throws UsageError for a malformed `POSTERN_DB`.
 */
export function defaultDatabase(env: NodeJS.ProcessEnv): UserStoreSpec {
  const spec = env['POSTERN_DB'];
  if (spec === undefined || spec === '') return parseSpec(userStoreSpecs, DEFAULT_SPEC);
  return underName('POSTERN_DB', () => parseSpec(userStoreSpecs, spec));
}

/** Returns false for an SQLite database whose file does not exist. */
export function databaseExists({ databaseFile }: UserStoreSpec): boolean {
  return databaseFile === undefined || existsSync(databaseFile);
}

const DEFAULT_SPEC = 'sqlite:postern.db';
