import { globSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { expectDone, run } from './program.ts';

/**
 * A PostgreSQL server of a test, on a loopback port and a UNIX socket. The role `mail` with the
 * password `s3cret` owns the database `mail`.
 */
export interface RunningPostgres extends AsyncDisposable {
  readonly port: number;
  /** The folder of the UNIX socket. */
  readonly folder: string;
  /** Runs SQL as the superuser in the database `mail`. Resolves to the rows, one a line. */
  sql(text: string): Promise<string>;
  /**
   * Stops the server: `fast` closes the connections, `immediate` kills their processes, `smart`
   * waits for their end.
   */
  stop(mode: 'fast' | 'immediate' | 'smart'): Promise<void>;
  start(): Promise<void>;
  /** Suspends the processes of the server, so that no connection gets an answer. */
  hang(): Promise<void>;
  resume(): Promise<void>;
}

/** The options of {@link startPostgres}. */
export interface PostgresServerOptions {
  /** The lines of pg_hba.conf. Default: each role on the UNIX socket, and SCRAM on TCP. */
  readonly hba?: string;
  readonly certificate?: TestCertificate;
  /** Default: UTF8. */
  readonly encoding?: string;
}

/** Returns true, and prints how to install PostgreSQL, if tests must skip because it is missing. */
export function skipsPostgres(): boolean {
  if (programFolder() !== undefined) return false;
  console.warn('skipped: PostgreSQL is not installed: apt-get install postgresql');
  return true;
}

/** Creates a database cluster in a private folder, and starts a server for it. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<RunningPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-postgres-'));
  const data = join(folder, 'data');
  const port = await freePort();
  await giveToServer(folder);
  const encoding = options.encoding ?? 'UTF8';
  await serverProgram('initdb', [...INITDB, '-D', data, '-E', encoding]);
  await configure(data, { folder, port, ...options });

  const postmaster = (): number => Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
  let stopped: readonly number[] = [];
  const psql = async (database: string, text: string): Promise<string> => {
    const args = ['-h', folder, '-p', String(port), '-U', 'postgres', '-d', database, '-X', '-A', '-t', '-q', '-c'];
    const { code, output } = await run('psql', [...args, text]);
    if (code !== 0) throw new Error(output);
    return output.trim();
  };
  const server: RunningPostgres = {
    port,
    folder,
    sql: (text) => psql('mail', text),
    stop: (mode) => serverProgram('pg_ctl', ['stop', '-D', data, '-w', '-s', '-m', mode]),
    start: () => serverProgram('pg_ctl', ['start', '-D', data, '-w', '-s', '-l', join(folder, 'log')]),
    async hang() {
      const backends = await server.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
      stopped = [postmaster(), ...backends.split('\n').map(Number)];
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    },
    async resume() {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
      stopped = [];
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      await server.resume();
      // A test may have stopped the server itself.
      await server.stop('immediate').catch(() => {});
      await rm(folder, { recursive: true });
    },
  };
  function kill(): void {
    try {
      const pid = postmaster();
      // SIGQUIT is the immediate stop.
      for (const name of ['SIGQUIT', 'SIGCONT']) process.kill(pid, name);
    } catch {
      // The server is down already.
    }
  }
  process.on('exit', kill);
  await server.start();
  await psql('postgres', "CREATE ROLE mail LOGIN PASSWORD 's3cret'");
  await psql('postgres', 'CREATE DATABASE mail OWNER mail');
  return server;
}

async function configure(
  data: string,
  { folder, port, hba, certificate }: PostgresServerOptions & { folder: string; port: number },
): Promise<void> {
  const settings = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
    'fsync = off',
    "password_encryption = 'scram-sha-256'",
  ];
  if (certificate !== undefined) {
    const [cert, key] = [join(data, 'server.crt'), join(data, 'server.key')];
    await writeFile(cert, certificate.cert);
    await writeFile(key, certificate.key);
    await chmod(key, 0o600);
    await Promise.all([cert, key].map(giveToServer));
    settings.push('ssl = on');
  }
  await writeFile(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
  await writeFile(join(data, 'pg_hba.conf'), `${hba ?? DEFAULT_HBA}\n`);
}

/** The server refuses to run as root: then it runs as the user of the Debian package. */
async function serverProgram(name: string, args: readonly string[]): Promise<void> {
  const program = join(programFolder() ?? '', name);
  if (process.getuid?.() !== 0) await expectDone(program, args);
  else await expectDone('runuser', ['-u', SERVER_USER, '--', program, ...args]);
}

async function giveToServer(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { output } = await run('id', ['-u', SERVER_USER]);
  await chown(path, Number(output), 0);
}

/** Returns the folder with the programs of the newest installed version. */
function programFolder(): string | undefined {
  const byVersion = (path: string): number => Number(/(\d+)\/bin/.exec(path)?.[1]);
  const [newest] = globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => byVersion(b) - byVersion(a));
  return newest;
}

const SERVER_USER = 'postgres';
const INITDB = ['-U', 'postgres', '-A', 'trust', '--locale', 'C', '-N'];
const DEFAULT_HBA = 'local all all trust\nhost all all all scram-sha-256';
