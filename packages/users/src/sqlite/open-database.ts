import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { UserStoreError } from '../errors.ts';
import { assertMigrated, assertOwn, migrate, pragma, readScramKey } from './schema.ts';
import { operatorError } from './sqlite-errors.ts';

/** Keeps a database in memory: no file, for tests. */
export const IN_MEMORY = ':memory:';

/** A database, and the server key of SCRAM in it. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly scramKey: Uint8Array;
}

/**
 * Opens a user database and brings its tables to the version of today. `path` is absolute. A new
 * file is readable for its owner alone (mode 0600), and so are SQLite's files beside it.
 *
 * @throws UserStoreError for a file that is no user database.
 * @throws the error of SQLite, unchanged, while another process holds a lock.
 */
export function openDatabase(path: string, readOnly: boolean): OpenDatabase {
  if (path !== IN_MEMORY) prepareFile(path, readOnly);
  // Rows as arrays cost a find less than objects. The event loop waits for no lock: timeout 0.
  const database = connect(path, { readOnly, returnArrays: true, timeout: 0 });
  try {
    if (readOnly) {
      assertMigrated(database, path);
    } else {
      // Before the WAL: the file of another program must stay as it is.
      assertOwn(database, path);
      // FULL: a commit is on the disk before its caller continues. On macOS fullfsync does that.
      database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
      useWal(database, path);
      migrate(database, path);
    }
    return { database, scramKey: readScramKey(database, path) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function connect(path: string, options: ConstructorParameters<typeof DatabaseSync>[1]): DatabaseSync {
  try {
    return new DatabaseSync(path, options);
  } catch (error) {
    throw operatorError(error, path);
  }
}

/** With a WAL, readers and one writer do not wait for each other. */
function useWal(database: DatabaseSync, path: string): void {
  const mode = pragma(database, 'journal_mode = WAL');
  if (mode !== 'wal' && path !== IN_MEMORY) {
    throw new UserStoreError(`the user database ${path} cannot have a WAL: SQLite needs a local file system for it`);
  }
}

/** Creates a missing file, and explains a file that cannot be used better than SQLite does. */
function prepareFile(path: string, readOnly: boolean): void {
  const directory = dirname(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new UserStoreError(`the user database ${path} is a directory: name a file in it`);
  if (found === undefined && statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw new UserStoreError(`the user database ${path} cannot be opened: there is no directory ${directory}`);
  }
  if (found === undefined && readOnly) {
    throw new UserStoreError(`the user database ${path} cannot be opened: there is no such file`);
  }
  try {
    if (!readOnly) accessSync(directory, constants.W_OK);
    if (found !== undefined) accessSync(path, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
    else closeSync(openSync(path, 'a', NEW_FILE_MODE));
  } catch (error) {
    const advice = readOnly
      ? 'this user may not read the file'
      : 'this user may not write the file and its directory, which SQLite needs; `readOnly` opens it for reading';
    throw new UserStoreError(`the user database ${path} cannot be opened: ${advice}`, { cause: error });
  }
}

const NEW_FILE_MODE = 0o600;
