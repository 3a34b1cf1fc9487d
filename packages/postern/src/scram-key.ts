import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AnyChecker, isDerived } from '@postern/cred';
import { ScramCredentials } from '@postern/sasl';
import { StartError } from './start-error.ts';
import { UsageError } from './usage-error.ts';

/**
 * Throws a UsageError if a checker holds stored SCRAM secrets and no key outlives this process. The salts of
 * stored secrets stay over a restart; the salts of users who do not exist follow from the key, and were they
 * to change, two challenges would tell who exists (RFC 5802 §9).
 */
export function expectScramKey(checkers: readonly AnyChecker[], hasKey: boolean): void {
  if (hasKey || !checkers.some(holdsSecrets)) return;
  throw new UsageError(
    'auth: a checker with stored SCRAM secrets needs a server key that is kept: ' +
      'expected --scram-key FILE (made at the first start), or sasl.scram.key in the config file',
  );
}

/** Reads the server key of SCRAM from the file, which it makes with mode 0600 if there is none. Rejects with a StartError. */
export async function loadScramKey(file: string): Promise<Uint8Array> {
  try {
    return await readKey(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unusable(file, error);
  }
  try {
    await makeKey(file);
    return await readKey(file);
  } catch (error) {
    throw unusable(file, error);
  }
}

async function readKey(file: string): Promise<Uint8Array> {
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length < KEY_OCTETS) throw new Error(`expected ${KEY_OCTETS} octets or more in base64`);
  if (((await stat(file)).mode & OTHERS) !== 0) throw new Error('expected mode 0600: others can read it');
  return key;
}

/** Writes a whole file or none, so that a start that is broken off leaves no half a key. */
async function makeKey(file: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_OCTETS).toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(temporary, file);
  } catch (error) {
    // Another worker was first: its key is everybody's.
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
  return new StartError(`--scram-key ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function holdsSecrets({ credentialInterfaces }: AnyChecker): boolean {
  return credentialInterfaces.some((one) => isDerived(one, ScramCredentials));
}

const KEY_OCTETS = 32;
const OTHERS = 0o077;
