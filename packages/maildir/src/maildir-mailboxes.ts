import { Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import { ANONYMOUS, type AvatarId, LoginDenied, LoginError, TemporaryFailure } from '@postern/cred';
import { Mailbox } from '@postern/esmtp';
import { codeOf, isShortage } from './file-errors.ts';
import { type FileSystem, systemFiles } from './file-system.ts';
import { HeldLocks } from './mailbox/held-locks.ts';
import { listMessages } from './mailbox/list-messages.ts';
import { MailboxLock } from './mailbox/mailbox-lock.ts';
import { MaildirMailbox } from './mailbox/maildir-mailbox.ts';
import type { MessageFile } from './mailbox/message-file.ts';
import { SizeReader } from './mailbox/message-sizes.ts';
import { Turns } from './mailbox/turns.ts';
import { type MailboxOptions, Maildirs } from './maildirs.ts';
import { Permissions, type PermissionsOptions } from './permissions.ts';

/** The mailboxes, the permissions and the error hook of a {@link MaildirMailboxes}. */
export interface MaildirMailboxesOptions extends MailboxOptions, PermissionsOptions {
  /**
   * Called with each error of the file system that no session reports. Default: the error becomes a
   * process warning, once a minute for each text.
   */
  readonly onError?: (error: unknown, mailbox: Mailbox | undefined) => void;
  /** The file system. Default: `node:fs/promises`. */
  readonly files?: FileSystem;
  /** The clock of the timer that refreshes the locks. Default: the system's. */
  readonly clock?: Clock;
}

/** The part of a mind that {@link MaildirMailboxes.open} reads. */
export interface MailboxClient {
  /** True once the client has disconnected or the login has taken too long. */
  readonly disconnected?: boolean | undefined;
}

/**
 * Opens the Maildirs of one folder as mailboxes of `@postern/pop3`: those that a `MaildirDelivery`
 * with the same options delivers to. One object serves all users.
 *
 * @example
 * ```ts
 * import { AvatarRealm } from '@postern/cred';
 * import { MaildirMailboxes } from '@postern/maildir';
 * import { Mailbox } from '@postern/pop3';
 *
 * const mailboxes = new MaildirMailboxes('/var/mail/postern');
 * const realm = new AvatarRealm().provide(Mailbox, (user, mind) => mailboxes.open(user, mind));
 * ```
 */
export class MaildirMailboxes {
  readonly #files: FileSystem;
  readonly #permissions: Permissions;
  readonly #maildirs: Maildirs;
  readonly #locks: HeldLocks;
  readonly #sizes: SizeReader;

  /** @throws RangeError if the mode or the group is not valid. */
  constructor(folder: string, options: MaildirMailboxesOptions = {}) {
    const { files = systemFiles, clock = systemClock, onError = warner() } = options;
    this.#files = files;
    this.#permissions = new Permissions(options, files);
    this.#maildirs = new Maildirs(folder, files, this.#permissions, options);
    this.#locks = new HeldLocks(clock, (error) => onError(error, undefined));
    this.#sizes = new SizeReader(files);
  }

  /**
   * Opens and locks the mailbox of an address, such as an avatar id `ann@example.com`. Creates an empty Maildir for a
   * user without one. The disposal of the mailbox unlocks it. `client` is the mind of the login:
   * the work ends early if the client disconnects.
   *
   * @throws MailboxInUse if another session has locked the mailbox
   * @throws LoginDenied for an anonymous user
   * @throws TemporaryFailure if the file system fails
   */
  async open(address: Mailbox | AvatarId, client: MailboxClient = {}): Promise<MaildirMailbox> {
    let path: string | undefined;
    try {
      await this.#maildirs.read();
      const maildir = this.#maildirs.pathOf(address instanceof Mailbox ? address : mailboxOf(address));
      path = maildir;
      const take = () => MailboxLock.take(maildir, this.#files, this.#permissions);
      const lock = await this.#maildirs.within(maildir, take);
      this.#locks.add(lock);
      const unlock = async () => {
        this.#locks.delete(lock);
        await lock.release();
      };
      try {
        const list = await this.#list(maildir, client);
        return new MaildirMailbox(maildir, list, { files: this.#files, lock, unlock });
      } catch (error) {
        await unlock();
        throw error;
      }
    } catch (error) {
      throw error instanceof LoginError ? error : failureOf(error, path);
    }
  }

  async #list(maildir: string, client: MailboxClient): Promise<readonly MessageFile[]> {
    const turns = new Turns();
    const listed = await listMessages(maildir, this.#files, turns);
    const kept: MessageFile[] = [];
    const isWanted = () => client.disconnected !== true;
    for (const file of listed) {
      if (turns.isOver) await turns.next();
      if (!isWanted()) throw new TemporaryFailure('the client has left during the login');
      const path = file.pathIn(maildir);
      const sizes = this.#sizes.measureSync(path) ?? (await this.#sizes.measure(path, isWanted));
      if (sizes === undefined) continue;
      file.octets = sizes.octets;
      file.storedOctets = sizes.storedOctets;
      kept.push(file);
    }
    return kept;
  }
}

/** Parses an avatar id as an address. A name without `@` is a user such as `<joe>` of LMTP. */
function mailboxOf(address: AvatarId): Mailbox {
  if (address === ANONYMOUS) throw new LoginDenied('not-authorized', 'an anonymous user has no mailbox');
  const at = address.lastIndexOf('@');
  return at === -1 ? new Mailbox(address, '') : new Mailbox(address.slice(0, at), address.slice(at + 1));
}

function failureOf(error: unknown, path: string | undefined): TemporaryFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const culprit = isShortage(error) || codeOf(error) === '' ? 'us' : 'operator';
  return new TemporaryFailure(`cannot open the Maildir ${path ?? ''}: ${reason}`, { cause: error, culprit });
}

function warner(): (error: unknown) => void {
  const warnings = new Warnings();
  return (error) => warnings.warn('a mailbox was not kept in order', error);
}
