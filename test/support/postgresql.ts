import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { type Ended, expectDone, run } from './program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL server with a cluster of its own. */
export interface RunningPostgresql extends AsyncDisposable {
  /** Runs SQL as the superuser. Resolves to the output of `psql`; rejects if the SQL fails. */
  readonly sql: (text: string) => Promise<string>;
  /** Logs in with a password, which `psql` sends as it is. Resolves to how `psql` ends. */
  readonly logIn: (role: string, password: string) => Promise<Ended>;
}

/** Returns true, and prints how to install it, if tests must skip because PostgreSQL is missing. */
export function skipsPostgresql(): boolean {
  const missing = !existsSync(PROGRAMS);
  if (missing) console.warn('skipped: PostgreSQL is not installed: apt-get install postgresql');
  return missing;
}

/**
 * Starts a PostgreSQL that listens only on a UNIX socket in a folder of its own. The role
 * `postgres` needs no password; other roles log in with SCRAM, or with MD5 if they have such a
 * password.
 */
export async function startPostgresql(): Promise<RunningPostgresql> {
  const folder = temporaryFolder('postgresql');
  let daemon: Daemon | undefined;
  try {
    const data = join(folder.path, 'data');
    const programs = join(PROGRAMS, readdirSync(PROGRAMS).sort().at(-1) ?? '', 'bin');
    // PostgreSQL refuses to run as root.
    const root = process.getuid?.() === 0;
    const server = (program: string, args: readonly string[]): [string, readonly string[]] => {
      const words = [join(programs, program), ...args];
      return root ? ['runuser', ['-u', 'postgres', '--', ...words]] : [words[0] ?? '', words.slice(1)];
    };
    if (root) {
      const [uid, gid] = await Promise.all([idOf('-u'), idOf('-g')]);
      chownSync(folder.path, uid, gid);
    }
    await expectDone(...server('initdb', ['-D', data, '-U', 'postgres', '--encoding=UTF8', '--locale=C', '--no-sync']));
    writeFileSync(join(data, 'pg_hba.conf'), 'local all postgres trust\nlocal all all md5\n');
    daemon = await startDaemon(
      ...server('postgres', ['-D', data, '-k', folder.path, '-c', 'listen_addresses=', '-F']),
      /ready to accept connections/,
    );
  } catch (error) {
    await daemon?.stop();
    folder[Symbol.dispose]();
    throw error;
  }
  const running = daemon;
  const connection = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d'];
  return {
    async sql(text) {
      const url = `host=${folder.path} dbname=postgres user=postgres client_encoding=UTF8`;
      const { code, output } = await run('psql', [...connection, url], text);
      if (code !== 0) throw new Error(`psql: ${output}`);
      return output.trimEnd();
    },
    logIn: (role, password) => {
      const quoted = password.replaceAll(/['\\]/g, '\\$&');
      const url = `host=${folder.path} dbname=postgres user='${role}' password='${quoted}'`;
      return run('psql', [...connection, url, '-c', 'SELECT 1']);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      folder[Symbol.dispose]();
    },
  };
}

/** Returns a string as a literal of SQL. */
export function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function idOf(option: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [option, 'postgres'])).output);
}

/** The folder of Debian's packages, with one folder for each version. */
const PROGRAMS = '/usr/lib/postgresql';
