import type { Dirent } from 'node:fs';
import { isPromise } from '@postern/core';
import { isMissing } from '../file-errors.ts';
import { byArrival, MessageFile, type Subfolder } from './message-file.ts';
import type { MailboxFiles, OpenFolder } from './prompt-files.ts';
import { sortInTurns } from './sort-in-turns.ts';
import type { Turns } from './turns.ts';

/**
 * Lists the messages of a Maildir in the order of their arrival. Lists `new` before `cur`: a
 * message that a reader moves meanwhile is found twice, and never missed. The list has regular
 * files whose names do not begin with a dot, and no symbolic link.
 */
export async function listMessages(
  maildir: string,
  files: MailboxFiles,
  turns: Turns,
): Promise<readonly MessageFile[]> {
  const found: MessageFile[] = [];
  for (const subfolder of ['new', 'cur'] as const) await listFolder(maildir, subfolder, files, turns, found);
  const sorted = await sortInTurns(found, byArrival, turns);
  const isDouble = (file: MessageFile, index: number) => file.key === sorted[index - 1]?.key;
  return sorted.some(isDouble) ? await distinguish(sorted, maildir, files, turns) : sorted;
}

async function listFolder(
  maildir: string,
  subfolder: Subfolder,
  files: MailboxFiles,
  turns: Turns,
  found: MessageFile[],
): Promise<void> {
  const folder = `${maildir}/${subfolder}`;
  const few = files.listSmall?.(folder);
  if (few !== undefined) {
    for (const entry of few) addMessage(entry, subfolder, found);
    return;
  }
  const entries = await openFolder(folder, files);
  if (entries === undefined) return;
  try {
    while (found.length < MAX_MESSAGES) {
      const next = entries.read();
      // A promise for each name would take five times as long.
      const entry = isPromise(next) ? await next : next;
      if (entry === null) break;
      addMessage(entry, subfolder, found);
      if (turns.isOver) await turns.next();
    }
  } finally {
    await entries.close();
  }
}

function addMessage(entry: Dirent, subfolder: Subfolder, found: MessageFile[]): void {
  if (entry.isFile() && !entry.name.startsWith('.')) found.push(new MessageFile(subfolder, entry.name));
}

async function openFolder(folder: string, files: MailboxFiles): Promise<OpenFolder | undefined> {
  try {
    // Behind a link could be the mail of another user.
    if ((await files.lstat(folder)).isSymbolicLink()) {
      throw Object.assign(new Error(`${folder} is a symbolic link; expected a folder`), { code: 'ELOOP' });
    }
    return await files.opendir(folder, { bufferSize: NAMES_PER_READ, encoding: 'latin1' });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Removes files that were found before and after a move, and second links to one file. Files that
 * only share the key get unique ids from their inodes, which no rename changes.
 */
async function distinguish(
  found: readonly MessageFile[],
  maildir: string,
  files: MailboxFiles,
  turns: Turns,
): Promise<readonly MessageFile[]> {
  const listed: MessageFile[] = [];
  for (let first = 0; first < found.length; ) {
    let end = first + 1;
    while (found[end]?.key === found[first]?.key && end < found.length) end += 1;
    const group = found.slice(first, end);
    const distinct = group.length === 1 ? group : await distinctFiles(group, maildir, files, turns);
    // No spread: a call has room for some 100,000 arguments.
    for (const file of distinct) listed.push(file);
    first = end;
  }
  return listed;
}

async function distinctFiles(
  group: readonly MessageFile[],
  maildir: string,
  files: MailboxFiles,
  turns: Turns,
): Promise<readonly MessageFile[]> {
  const byInode = new Map<string, MessageFile>();
  for (const file of group) {
    try {
      const { dev, ino } = await files.lstat(file.pathIn(maildir));
      byInode.set(`${dev}:${ino}`, file);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (turns.isOver) await turns.next();
  }
  if (byInode.size > 1) for (const [inode, file] of byInode) file.distinction = `\0${inode}`;
  return [...byInode.values()];
}

const NAMES_PER_READ = 512;
/** The most messages of a session. The remaining ones belong to the next session. */
const MAX_MESSAGES = 1_000_000;
