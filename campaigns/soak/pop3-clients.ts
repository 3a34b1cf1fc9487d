import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Pop3Client } from '../../test/support/pop3-client.ts';
import { PASSWORD } from './good-clients.ts';
import { idOf, type Ledger } from './messages.ts';

/** Where a reader finds its mailbox, and what it makes of it. */
export interface ReaderOptions {
  readonly port: number;
  readonly user: string;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

/**
 * Reads and deletes all messages again and again, until the signal aborts. A
 * refusal or a broken connection is no error.
 */
export async function readMail(options: ReaderOptions): Promise<void> {
  while (!options.signal.aborted) {
    // Faults are a part of the load: what counts is that nothing acknowledged is lost.
    await readOnce(options).catch(() => undefined);
    await pause(randomInt(20, 500));
  }
}

/** Reads and deletes all messages that are there. Resolves to their number. */
async function readOnce({ port, user, ledger }: ReaderOptions): Promise<number> {
  using client = await Pop3Client.logIn(port, user, PASSWORD);
  const uids = await client.uids();
  const copies: string[] = [];
  for (const [number, uid] of uids) {
    const id = idOf(Buffer.from(await client.ask(`RETR ${number}`), 'latin1'));
    if (id === undefined) {
      ledger.arrive(undefined);
      continue;
    }
    const copy = `${id} ${user}`;
    ledger.see(uid, copy);
    const status = await client.say(`DELE ${number}`);
    if (!status.startsWith('+OK')) throw new Error(`DELE: ${status}`);
    copies.push(copy);
  }
  // Without a reply to QUIT the messages may be there or not. They have been read.
  for (const copy of copies) ledger.arrive(copy);
  await client.quit();
  for (const copy of copies) ledger.delete(copy);
  return copies.length;
}
