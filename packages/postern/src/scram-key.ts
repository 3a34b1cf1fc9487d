import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AnyChecker, isDerived } from '@postern/cred';
import { ScramCredentials } from '@postern/sasl';
import { messageOf, StartError, UsageError } from './errors.ts';

/**
 * Checks that a checker with stored SCRAM secrets has a server key that outlives the process. The
 * salts of stored secrets survive a restart; the salts of unknown users are derived from the key.
 * If those salts changed, two challenges would reveal which users exist (RFC 5802 §9).
 *
 * @throws UsageError
 */
export function expectScramKey(checkers: readonly AnyChecker[], hasKey: boolean): void {
  if (hasKey || !checkers.some(holdsScramSecrets)) return;
  throw new UsageError(
    'auth: a checker with stored SCRAM secrets needs a stored server key: ' +
      'expected --scram-key FILE (created at the first start), or sasl.scram.key in the config file',
  );
}

/**
 * Reads SCRAM's server key from the file. Creates the file with mode 0600 if it does not exist.
 *
 * @throws StartError
 */
export async function loadScramKey(file: string): Promise<Uint8Array> {
  try {
    return await readKey(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unusable(file, error);
  }
  try {
    await createKey(file);
    return await readKey(file);
  } catch (error) {
    throw unusable(file, error);
  }
}

async function readKey(file: string): Promise<Uint8Array> {
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length < MIN_KEY_OCTETS) throw new Error(`expected ${MIN_KEY_OCTETS} octets or more in base64`);
  if (((await stat(file)).mode & OTHERS_MODE) !== 0) throw new Error('expected mode 0600: other users can read it');
  return key;
}

/** Creates the file atomically: a start that is interrupted leaves no truncated key. */
async function createKey(file: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(MIN_KEY_OCTETS).toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(temporary, file);
  } catch (error) {
    // Another worker was first: all workers use its key.
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unusable(file: string, cause: unknown): StartError {
  return new StartError(`--scram-key ${file}: ${messageOf(cause)}`, { cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function holdsScramSecrets({ credentialInterfaces }: AnyChecker): boolean {
  return credentialInterfaces.some((credentials) => isDerived(credentials, ScramCredentials));
}

const MIN_KEY_OCTETS = 32;
/** The permissions of the group and of other users. */
const OTHERS_MODE = 0o077;
