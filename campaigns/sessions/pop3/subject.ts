import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Pop3Client } from '../../../test/support/pop3-client.ts';
import type { PreparedSession, Subject } from '../protocol.ts';
import { RIGHT_PASSWORD } from '../secrets.ts';
import { userOfSlot } from '../users.ts';
import { makeScript } from './grammar.ts';
import { Maildrop } from './maildrop.ts';
import { Pop3Model } from './model.ts';

/** A listener that speaks POP3. Each slot has a user of its own, whose Maildir is in `folder`. */
export function pop3Subject(folder: string): Subject {
  const maildrops = new Map<number, Maildrop>();
  return {
    name: 'POP3',
    async prepare(random, slot): Promise<PreparedSession> {
      const user = userOfSlot(slot);
      const maildrop = maildrops.get(slot) ?? new Maildrop(join(folder, user), user);
      maildrops.set(slot, maildrop);
      await maildrop.fill(random);
      const model = new Pop3Model(user, maildrop.messages);
      const script = makeScript(random, user);
      const check = async (port: number): Promise<void> => {
        // The server still runs the commands that it has read before the reset.
        if (script.ending === 'reset') await pause(RESET_MS);
        // Without a reply to QUIT the server may still work on it. It unlocks the maildrop behind.
        if (!model.hasUpdated) await waitUntilFree(port, user);
        await maildrop.settle(model.mayBeGone, model.hasUpdated);
      };
      return { script, model, check };
    },
  };
}

/** Resolves when no session has the user's maildrop. */
async function waitUntilFree(port: number, user: string): Promise<void> {
  using client = await Pop3Client.logIn(port, user, RIGHT_PASSWORD);
  await client.quit();
}

const RESET_MS = 300;
