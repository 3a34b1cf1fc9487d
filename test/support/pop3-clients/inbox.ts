import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MaybePromise } from '@postern/core';
import type { Ended } from '../program.ts';
import type { Pop3Account, Retrieval } from './pop3-client.ts';

/**
 * Runs a client that writes each message into a file of its own, and reads these files. `runClient`
 * gets the folder for them.
 */
export async function retrieveInto(
  account: Pop3Account,
  runClient: (inbox: string) => MaybePromise<Ended>,
): Promise<Retrieval> {
  const inbox = await mkdtemp(join(account.folder, 'inbox-'));
  try {
    const ended = await runClient(inbox);
    const names = await readdir(inbox);
    return { ...ended, messages: await Promise.all(names.map((name) => readFile(join(inbox, name)))) };
  } finally {
    await rm(inbox, { recursive: true });
  }
}

/** Returns a shell command that stores its standard input in a new file of the folder. */
export function storeIn(inbox: string): string {
  return `cat > "$(mktemp ${inbox}/XXXXXXXX)"`;
}
