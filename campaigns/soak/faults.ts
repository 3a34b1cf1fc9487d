import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { idOf, type Ledger } from './messages.ts';
import type { Mood, NextServer } from './next-server.ts';
import { countDescriptors } from './samples.ts';

/**
 * Changes the mood of the next server every few seconds, until the signal aborts. It ends in a good
 * one.
 */
export async function changeMoods(server: NextServer, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    server.mood = MOODS[turn % MOODS.length] as Mood;
    await sleep(server.mood === 'well' ? 4_000 : 1_500, signal);
  }
  server.mood = 'well';
}

/**
 * Breaks a Maildir for a second, then takes descriptors from the server for a second, then waits;
 * until the signal aborts.
 */
export async function breakMaildirs(folder: string, pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(3_000, signal);
    await breakFolder(join(folder, 'ann@example.com', 'tmp'));
    await sleep(3_000, signal);
    await limitDescriptors(pid, (await countDescriptors(pid)) + 3);
    await pause(1_000);
    await limitDescriptors(pid, MAX_DESCRIPTORS);
  }
}

/**
 * Puts a file in the folder's place for a second, so that no user, not even root, can write there.
 */
async function breakFolder(path: string): Promise<void> {
  try {
    await rm(`${path}.away`, { recursive: true, force: true });
    await rename(path, `${path}.away`);
    await writeFile(path, '', { flag: 'wx' });
  } catch {
    // The server has not made the folder yet, or has just made it again.
    return;
  }
  await pause(1_000);
  await unlink(path);
}

async function limitDescriptors(pid: number, count: number): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${count}:${MAX_DESCRIPTORS}`]);
}

/** Takes all messages that are there. */
export async function sweep(folder: string, ledger: Ledger): Promise<void> {
  for (const mailbox of ['ann', 'bob']) {
    const path = join(folder, `${mailbox}@example.com`, 'new');
    await mkdir(path, { recursive: true });
    for (const name of await readdir(path)) {
      const message = await readFile(join(path, name)).catch(() => undefined);
      // The server takes a copy back if it cannot store all copies of a message.
      if (message === undefined) continue;
      const id = idOf(message);
      ledger.arrive(id === undefined ? undefined : `${id} ${mailbox}`);
      await rm(join(path, name), { force: true });
    }
  }
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal }).catch(() => undefined);
}

const MAX_DESCRIPTORS = 4_096;
const MOODS: readonly Mood[] = [
  'well',
  'refuses for now',
  'well',
  'stalls',
  'well',
  'disconnects',
  'well',
  'refuses for good',
];
