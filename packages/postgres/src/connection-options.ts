import { readFile } from 'node:fs/promises';
import { isLocal } from '@postern/core';
import type { PoolConfig } from 'pg';

/** The target of connections, as `pg` takes it, and its name in error messages. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  /** Undefined leaves the choice to `pg`: PGUSER, or the user of this process. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Undefined is the database with the name of the user. */
  readonly database: string | undefined;
  readonly applicationName: string;
  /** False is a connection in the clear. */
  readonly tls: Exclude<PoolConfig['ssl'], true | undefined>;
  /** The server in an error message, without the password: `db.example:5432`. */
  readonly label: string;
}

/**
 * Parses the URL of a PostgreSQL database as libpq writes it, and reads the certificate files that
 * it names.
 *
 * @throws TypeError if the URL is malformed. The message holds no part of the password.
 */
export async function connectionTarget(text: string): Promise<ConnectionTarget> {
  const url = parse(text);
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.has(name)) {
      throw new TypeError(`the PostgreSQL URL has the unknown parameter ${name}: known are ${list(PARAMETERS)}`);
    }
  }
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const host = parameter('host') ?? (decode(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost');
  const port = Number(parameter('port') ?? (url.port || DEFAULT_PORT));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError('the port of the PostgreSQL URL must be a number from 1 to 65535');
  }
  return {
    host,
    port,
    user: decode(url.username) || undefined,
    password: decode(url.password) || undefined,
    database: decode(url.pathname.slice(1)) || undefined,
    applicationName: parameter('application_name') ?? 'postern',
    tls: await tlsOptions(host, parameter),
    label: host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`,
  };
}

function parse(text: string): URL {
  // libpq permits a user without a host, before a UNIX socket in `host=`. A WHATWG URL does not.
  const complete = text.replace(/^([a-z]+:\/\/[^/?#]*@)(?=[/?#]|$)/, '$1localhost');
  // The error of `new URL` has the URL in a property.
  const url = URL.canParse(complete) ? new URL(complete) : undefined;
  const isPostgres = url !== undefined && /^postgres(ql)?:$/.test(url.protocol) && /^[a-z]+:\/\//.test(text);
  // A slash, `?` or `#` in a password ends the host too early. The rest must not stand in an error.
  if (!isPostgres || url.hash !== '' || /@/.test(url.pathname + url.search)) {
    throw new TypeError(`a PostgreSQL URL is ${URL_SHAPE}; other characters in its parts are percent-encoded`);
  }
  return url;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // The error of `decodeURIComponent` names no part, but a caller could print its stack.
    throw new TypeError('a part of the PostgreSQL URL has a percent sign without two hexadecimal digits');
  }
}

async function tlsOptions(
  host: string,
  parameter: (name: string) => string | undefined,
): Promise<ConnectionTarget['tls']> {
  const mode = parameter('sslmode') ?? (isThisMachine(host) ? 'disable' : 'verify-full');
  if (!SSL_MODES.has(mode)) {
    // With `allow` and `prefer` an attacker on the way chooses a connection in the clear.
    throw new TypeError(`sslmode=${mode} is not supported: known are ${list(SSL_MODES)}`);
  }
  if (parameter('channel_binding') === 'require') {
    throw new TypeError('channel_binding=require is not supported: sslmode=verify-full authenticates the server');
  }
  if (mode === 'disable' || host.startsWith('/')) return false;
  const [ca, cert, key] = await Promise.all(['sslrootcert', 'sslcert', 'sslkey'].map((name) => pem(parameter(name))));
  if (mode === 'verify-ca' && ca === undefined) {
    throw new TypeError('sslmode=verify-ca needs sslrootcert=FILE: any public certificate would pass otherwise');
  }
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized: mode !== 'no-verify',
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

async function pem(file: string | undefined): Promise<string | undefined> {
  return file === undefined || file === 'system' ? undefined : readFile(file, 'utf8');
}

function isThisMachine(host: string): boolean {
  // A name such as 127.example is another machine.
  if (host === 'localhost' || host.startsWith('/')) return true;
  return /^(?:[\d.]+|.*:.*)$/.test(host) && isLocal({ family: host.includes(':') ? 'IPv6' : 'IPv4', address: host });
}

function list(names: ReadonlySet<string>): string {
  return [...names].join(', ');
}

const URL_SHAPE = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE';
const DEFAULT_PORT = '5432';

/** The parameters of libpq that this package implements. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'host',
  'port',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'channel_binding',
  'application_name',
]);

/**
 * The modes of TLS. `require` checks the certificate as `verify-full` does: this is the meaning in
 * `pg`, and libpq's meaning lets an attacker read the secrets.
 */
const SSL_MODES: ReadonlySet<string> = new Set(['disable', 'require', 'verify-ca', 'verify-full', 'no-verify']);
