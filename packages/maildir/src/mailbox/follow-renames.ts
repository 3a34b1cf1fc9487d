import type { FileSystem } from '../file-system.ts';
import { listMessages } from './list-messages.ts';
import type { MessageFile } from './message-file.ts';
import { Turns } from './turns.ts';

/**
 * Lists the Maildir again, and gives each of the files its present name. Resolves to the files that
 * are still there.
 */
export async function followRenames(
  known: readonly MessageFile[],
  maildir: string,
  files: FileSystem,
): Promise<ReadonlySet<MessageFile>> {
  const present = new Map<string, MessageFile>();
  for (const file of await listMessages(maildir, files, new Turns())) present.set(file.id, file);
  const found = new Set<MessageFile>();
  for (const file of known) {
    const same = present.get(file.id);
    if (same === undefined) continue;
    file.rename(same.subfolder, same.name);
    found.add(file);
  }
  return found;
}
