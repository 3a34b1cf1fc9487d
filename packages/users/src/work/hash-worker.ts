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
    const octets = Buffer.from(password.buffer);
    return /^\$(?:1|apr1)\$/.test(setting) ? md5Crypt(octets, setting) : shaCrypt(octets, setting);
  } catch {
    return undefined;
  } finally {
    password.fill(0);
  }
}
