import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { UserStoreError } from '../errors.ts';

/**
 * The steps from an empty database to the tables of today, in SQL. `PRAGMA user_version` counts the
 * steps that a database has had. A step never changes once it is released.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE users (
     id INTEGER PRIMARY KEY,
     canonical_name TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     -- A JSON array of the stored forms of one password.
     secrets TEXT NOT NULL,
     enabled INTEGER NOT NULL DEFAULT 1,
     -- Milliseconds since 1970.
     expires INTEGER,
     must_change_password INTEGER NOT NULL DEFAULT 0,
     -- JSON.
     scopes TEXT,
     app_passwords TEXT,
     totp TEXT,
     -- The bits of credentialForms(). A row without them is of a user with a hash.
     forms INTEGER DEFAULT 0
   ) STRICT;
   -- Finds each sum of forms with one seek, whatever the number of users.
   CREATE INDEX users_forms ON users (forms) WHERE forms IS NOT NULL;
   CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;`,
];

/**
 * Brings the tables to the last of the `migrations`, in one transaction. Does nothing for a
 * database that has them.
 *
 * @throws UserStoreError for a database of another program or of a newer version.
 */
export function migrate(database: DatabaseSync, path: string, migrations = MIGRATIONS): void {
  if (versionOf(database, path, migrations) === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have migrated the database meanwhile.
    const version = versionOf(database, path, migrations);
    for (const step of migrations.slice(version)) database.exec(step);
    if (version === 0) database.prepare("INSERT INTO keys VALUES ('scram', ?)").run(randomBytes(SCRAM_KEY_OCTETS));
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Expects an empty database, or tables that this program knows.
 *
 * @throws UserStoreError for a database of another program or of a newer version.
 */
export function assertOwn(database: DatabaseSync, path: string): void {
  versionOf(database, path, MIGRATIONS);
}

/**
 * Expects the tables of today in a database that is opened for reading.
 *
 * @throws UserStoreError for any other database.
 */
export function assertMigrated(database: DatabaseSync, path: string): void {
  const version = versionOf(database, path, MIGRATIONS);
  if (version < MIGRATIONS.length) {
    throw new UserStoreError(
      `the user database ${path} has version ${version} of the tables, and this program needs ` +
        `${MIGRATIONS.length}: open it once without \`readOnly\``,
    );
  }
}

/**
 * Returns the server key of SCRAM.
 *
 * @throws UserStoreError if the row is missing. A new key would reveal which users exist.
 */
export function readScramKey(database: DatabaseSync, path: string): Uint8Array {
  const row = database.prepare("SELECT value FROM keys WHERE name = 'scram'").get();
  const [key] = (row ?? []) as unknown as readonly unknown[];
  if (key instanceof Uint8Array) return key;
  throw new UserStoreError(`the user database ${path} has no SCRAM key: restore the table \`keys\` from a copy`);
}

/** Returns a value of SQLite's by its name: `pragma(database, 'data_version')`. */
export function pragma(database: DatabaseSync, name: string): unknown {
  // The database returns rows as arrays.
  return (database.prepare(`PRAGMA ${name}`).get() as unknown as readonly unknown[] | undefined)?.[0];
}

function versionOf(database: DatabaseSync, path: string, migrations: readonly string[]): number {
  const version = Number(pragma(database, 'user_version'));
  const application = pragma(database, 'application_id');
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (application !== APPLICATION_ID && !(isEmpty && version === 0 && application === 0)) {
    throw new UserStoreError(`${path} is an SQLite database of another program: name a file of its own for the users`);
  }
  if (version > migrations.length) {
    throw new UserStoreError(
      `the user database ${path} has version ${version} of the tables, and this program knows ` +
        `${migrations.length}: use the newer program that wrote it`,
    );
  }
  return version;
}

const SCRAM_KEY_OCTETS = 32;
/** Marks a file as a user database, for `file` and for a wrong path: "Post" in ASCII. */
const APPLICATION_ID = 0x506f7374;
