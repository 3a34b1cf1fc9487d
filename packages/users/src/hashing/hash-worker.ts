// The program of a worker thread. It runs from the source as well as from the build, so it and its
// imports name their files, and no package of this repository.
import { parentPort } from 'node:worker_threads';
import { hashSync } from 'bcryptjs';
import type { HashJob, HashReply } from './hash-job.ts';
import { md5Crypt } from './md5-crypt.ts';
import { shaCrypt } from './sha-crypt.ts';

parentPort?.on('message', (job: HashJob) => parentPort?.postMessage(compute(job)));

/** The message of an error may hold a part of the hash, so no error leaves the thread. */
function compute({ algorithm, password, setting }: HashJob): HashReply {
  try {
    if (algorithm === 'bcrypt') return hashSync(new TextDecoder().decode(password), setting);
    const octets = Buffer.from(password.buffer).subarray(0, MAX_OCTETS);
    const hash = /^\$(?:1|apr1)\$/.test(setting) ? md5Crypt(octets, setting) : shaCrypt(octets, setting);
    // The refusal takes as long as a comparison, so that it does not reveal the user's scheme.
    return octets.length === password.length ? hash : NO_HASH;
  } catch {
    return undefined;
  } finally {
    password.fill(0);
  }
}

/**
 * The longest password of crypt(3): `CRYPT_MAX_PASSPHRASE_SIZE` of libxcrypt less the NUL. Each
 * round hashes the password, so a longer one would make a guess cost twenty times as much.
 */
const MAX_OCTETS = 511;

/** The text that crypt(3) returns on failure. It equals no hash. */
const NO_HASH = '*0';
