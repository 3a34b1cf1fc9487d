import { TemporaryFailure } from '@postern/cred';

/**
 * Returns an error of `pg` as a temporary failure: a database that fails has judged no password.
 * The message says which setting to correct where the operator can. No part of it comes from a
 * stored record: PostgreSQL quotes input in the details of an error, so the details are left out.
 *
 * @param label the server, such as `db.example:5432`
 */
export function databaseFailure(error: unknown, label: string): TemporaryFailure {
  const [code, message] = [codeOf(error), error instanceof Error ? error.message : String(error)];
  const advice = ADVICE.get(code) ?? ADVICE_BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  const sentence = `PostgreSQL at ${label} ${advice ?? 'does not answer as it should'}`;
  return new TemporaryFailure(sentence, { cause: new DatabaseError(code, message || code), culprit: 'operator' });
}

/** The code and the message of an error of `pg`, and nothing else of it. */
class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** The SQLSTATE, or the code of Node; empty if the error has none. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Returns true for an error after which a new connection may succeed: the server has closed the
 * connection, starts or restarts.
 */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== '') return TRANSIENT_CODES.has(code);
  return error instanceof Error && error.message === 'Connection terminated unexpectedly';
}

/** Returns true if the server refuses connections because it starts or restarts. */
export function isStarting(error: unknown): boolean {
  return STARTING_CODES.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** `cannot_connect_now`, and a socket that nothing listens on. */
const STARTING_CODES: ReadonlySet<string> = new Set(['57P03', 'ECONNREFUSED', 'ENOENT']);
/** Also `admin_shutdown`, `crash_shutdown`, and a connection that the server has reset. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([...STARTING_CODES, '57P01', '57P02', 'ECONNRESET', 'EPIPE']);

const UNTRUSTED = 'has a certificate that is not trusted: name its authority by sslrootcert=FILE in the URL';
const NO_TABLES = 'does not have the tables of Postern in this schema: open the database once with a role that owns it';

/** The rest of a sentence that begins with the server, by SQLSTATE or by Node's code. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['28P01', 'refuses the role: correct the user and the password of the URL'],
  ['28000', 'does not permit the role to connect: correct the user of the URL, or pg_hba.conf'],
  ['3D000', 'does not have the database: correct its name in the URL, or create it'],
  ['42501', 'forbids the role to do this: grant the privilege, or name another role in the URL'],
  ['42P01', NO_TABLES],
  ['3F000', NO_TABLES],
  ['25006', 'is read-only: name the primary server in the URL'],
  ['53300', 'has no free connection: lower maxConnections, or raise max_connections'],
  ['57014', 'takes longer than queryTimeout'],
  ['57P01', 'is shutting down'],
  ['57P03', 'is starting or shutting down'],
  ['ECONNREFUSED', 'refuses connections: start the server, or correct the address in the URL'],
  ['ENOENT', 'does not listen: start the server, or correct the address in the URL'],
  ['ENOTFOUND', 'has no address: correct the host of the URL'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate for another name: correct the host of the URL'],
  ['CERT_HAS_EXPIRED', 'has an expired certificate: renew it'],
]);

/** The errors of `pg` that have no code. */
const ADVICE_BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [/client password must be/, 'asks for a password: the URL has none'],
  [/does not support SSL/, 'does not offer TLS: turn it on there, or add sslmode=disable to the URL'],
  [/Connection terminated unexpectedly/, 'has closed the connection'],
  [/timeout exceeded when trying to connect/, 'has all connections of the pool busy: raise maxConnections'],
  [/connection timeout|timeout expired/, 'does not answer within connectTimeout'],
  [/Query read timeout/, 'does not answer within queryTimeout'],
];
