import type { Config } from '../config.ts';
import { findConfigFile, loadConfig } from '../config-file.ts';
import { defaultDatabase } from '../default-database.ts';
import { UsageError, underName } from '../errors.ts';
import { parseSpec } from '../option-values.ts';
import { isUserStore, ownStore, type UserStoreSpec, userStoreSpecs } from '../user-store-spec.ts';
import type { UsersOptions } from '../users-options.ts';

/** The settings of `postern user`. */
export interface UserSettings {
  readonly database: UserStoreSpec;
  readonly users: UsersOptions;
}

/** The options of every command of `postern user`. */
export interface CommonOptions {
  /** The value of `--db`. */
  readonly db?: string | undefined;
  /** The value of `--config`. */
  readonly config?: string | undefined;
}

/**
 * Reads the settings from the config file that `postern serve` would read. `--db` names the
 * database, or else `POSTERN_DB`, or else `auth` of the config file.
 *
 * @throws UsageError
 */
export async function readUserSettings({ db, config }: CommonOptions, env: NodeJS.ProcessEnv): Promise<UserSettings> {
  const file = findConfigFile(config);
  const { auth = [], users = {} } = file === undefined ? {} : await loadConfig(file);
  return { database: databaseOf(db, env, { auth, name: `${file}: auth` }), users };
}

function databaseOf(db: string | undefined, env: NodeJS.ProcessEnv, configured: ConfiguredAuth): UserStoreSpec {
  if (db !== undefined) return underName('--db', () => parseSpec(userStoreSpecs, db));
  const isNamed = (env['POSTERN_DB'] ?? '') !== '';
  return isNamed || configured.auth.length === 0 ? defaultDatabase(env) : onlyStore(configured);
}

/** The property `auth` of the config file, and its name. */
interface ConfiguredAuth {
  readonly auth: NonNullable<Config['auth']>;
  readonly name: string;
}

/** Returns the one store that the command can edit. Without one, the one that it can read. */
function onlyStore({ auth, name }: ConfiguredAuth): UserStoreSpec {
  const stores = underName(name, () => auth.flatMap(storeOf));
  const editable = stores.filter(({ isEditable }) => isEditable);
  const [store, ...others] = editable.length === 0 ? stores : editable;
  if (store !== undefined && others.length === 0) return store;
  const count = store === undefined ? 'no user store' : 'several user stores';
  throw new UsageError(`${name}: ${count} for postern user: expected --db SPEC, such as --db sqlite:PATH`);
}

function storeOf(entry: ConfiguredAuth['auth'][number], index: number): readonly UserStoreSpec[] {
  if (typeof entry !== 'string') return isUserStore(entry) ? [ownStore(entry, `auth ${index + 1}`)] : [];
  const [scheme = ''] = entry.split(':', 1);
  return userStoreSpecs.has(scheme) ? [parseSpec(userStoreSpecs, entry)] : [];
}
