import { randomBytes } from 'node:crypto';
import { UserStoreError } from '@postern/users';
import pg from 'pg';
import type { RunStatement, Statement } from './connections.ts';

/** The SQL names of the tables in one schema. */
export interface Tables {
  readonly schema: string;
  readonly users: string;
  readonly keys: string;
  readonly version: string;
}

/**
 * Returns the quoted names of the tables.
 *
 * @throws TypeError if the schema's name is empty, longer than 63 octets, or has a NUL.
 */
export function tablesIn(schema: string): Tables {
  if (schema === '' || schema.includes('\0') || Buffer.byteLength(schema) > MAX_IDENTIFIER_OCTETS) {
    throw new TypeError(`schema is the name of a PostgreSQL schema of 1 to ${MAX_IDENTIFIER_OCTETS} octets`);
  }
  const quoted = pg.escapeIdentifier(schema);
  return { schema: quoted, users: `${quoted}.users`, keys: `${quoted}.keys`, version: `${quoted}.schema_version` };
}

/**
 * Creates the tables, or brings older ones up to date, in the transaction of `run`. Processes that
 * start at the same time take turns.
 *
 * @throws UserStoreError if a newer Postern has created the tables, or if the encoding of the
 *   database is not UTF-8.
 */
export async function migrate(run: RunStatement, tables: Tables): Promise<void> {
  await run({ text: 'SELECT pg_advisory_xact_lock($1, hashtext($2))', values: [LOCK_CLASS, tables.schema] });
  const version = await versionOf(run, tables);
  const migrations = migrationsOf(tables);
  if (version > migrations.length) {
    throw new UserStoreError(`the tables in schema ${tables.schema} are of a newer Postern: version ${version}`);
  }
  if (version === migrations.length) return;
  await requireUtf8(run);
  for (const statement of migrations.slice(version).flat()) await run(statement);
  await run({ text: `UPDATE ${tables.version} SET version = $1`, values: [migrations.length] });
}

/**
 * Resolves to the server key of SCRAM.
 *
 * @throws UserStoreError if the row is missing. A new key would reveal which users exist.
 */
export async function readScramKey(run: RunStatement, { schema, keys }: Tables): Promise<Uint8Array> {
  const [row] = await run<{ value: Uint8Array }>({ text: `SELECT value FROM ${keys} WHERE name = 'scram'` });
  if (row !== undefined) return row.value;
  throw new UserStoreError(`schema ${schema} has no SCRAM key: restore the table \`keys\` from a copy`);
}

/** Resolves to the number of migrations that the tables have had. */
async function versionOf(run: RunStatement, { version }: Tables): Promise<number> {
  const [found] = await run<{ exists: boolean }>({
    text: 'SELECT to_regclass($1) IS NOT NULL AS exists',
    values: [version],
  });
  if (!found?.exists) return 0;
  const [row] = await run<{ version: number }>({ text: `SELECT version FROM ${version}` });
  return row?.version ?? 0;
}

async function requireUtf8(run: RunStatement): Promise<void> {
  const [row] = await run<{ server_encoding: string }>({ text: 'SHOW server_encoding' });
  if (row?.server_encoding !== 'UTF8') {
    throw new UserStoreError(`the database has encoding ${row?.server_encoding}: create it with ENCODING 'UTF8'`);
  }
}

/** The statements of each version. A published version never changes. */
function migrationsOf({ schema, users, keys, version }: Tables): readonly (readonly Statement[])[] {
  return [
    [
      { text: `CREATE SCHEMA IF NOT EXISTS ${schema}` },
      { text: `CREATE TABLE ${version} (version integer NOT NULL)` },
      { text: `INSERT INTO ${version} VALUES (0)` },
      // The collation "C" orders by code points, on each server alike.
      {
        text: `CREATE TABLE ${users} (
          canonical_name text COLLATE "C" PRIMARY KEY,
          record jsonb NOT NULL,
          forms integer
        )`,
      },
      { text: `CREATE INDEX users_forms ON ${users} (forms)` },
      { text: `CREATE TABLE ${keys} (name text PRIMARY KEY, value bytea NOT NULL)` },
      { text: `INSERT INTO ${keys} VALUES ('scram', $1)`, values: [randomBytes(SCRAM_KEY_OCTETS)] },
    ],
  ];
}

const SCRAM_KEY_OCTETS = 32;
/** Separates Postern's advisory locks from other programs' in the same database: "psn1". */
const LOCK_CLASS = 0x70_73_6e_31;
/** PostgreSQL cuts longer names silently. */
const MAX_IDENTIFIER_OCTETS = 63;
