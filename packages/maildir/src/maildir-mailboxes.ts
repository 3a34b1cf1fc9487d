import { Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import { ANONYMOUS, type AvatarId, LoginDenied, LoginError, TemporaryFailure } from '@postern/cred';
import { Mailbox } from '@postern/esmtp';
import { codeOf, isMissing } from './file-errors.ts';
import { type FileSystem, systemFiles } from './file-system.ts';
import { HeldLocks } from './mailbox/held-locks.ts';
import { LockOwners } from './mailbox/lock-owner.ts';
import { type LockContext, MailboxLock } from './mailbox/mailbox-lock.ts';
import type { MaildirMailbox } from './mailbox/maildir-mailbox.ts';
import { MessageReader } from './mailbox/message-reader.ts';
import { openMailbox } from './mailbox/open-mailbox.ts';
import { type MailboxFiles, promptFilesOf } from './mailbox/prompt-files.ts';
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
  readonly #folder: string;
  readonly #files: FileSystem;
  readonly #promptFiles: MailboxFiles;
  readonly #permissions: Permissions;
  readonly #maildirs: Maildirs;
  readonly #buffers = MessageReader.buffers();
  readonly #locks: HeldLocks;
  readonly #lockContext: LockContext;
  #owners: LockOwners | undefined;
  readonly #onError: (error: unknown, mailbox: Mailbox | undefined) => void;

  /** @throws RangeError if the mode or the group is not valid. */
  constructor(folder: string, options: MaildirMailboxesOptions = {}) {
    const { files = systemFiles, clock = systemClock, onError = warner() } = options;
    this.#folder = folder;
    this.#onError = onError;
    this.#files = files;
    this.#promptFiles = promptFilesOf(files);
    this.#permissions = new Permissions(options, files);
    this.#lockContext = { files: this.#promptFiles, patientFiles: files, permissions: this.#permissions };
    this.#maildirs = new Maildirs(folder, files, this.#permissions, options);
    this.#locks = new HeldLocks(clock, (error) => onError(error, undefined));
  }

  /**
   * Opens and locks the mailbox of an address, such as the avatar id `ann@example.com`. Creates an
   * empty Maildir for a user without one. The disposal of the mailbox unlocks it. `client` is the
   * mind of the login: the work ends early if the client disconnects.
   *
   * @throws MailboxInUse if another session has locked the mailbox
   * @throws LoginDenied for an anonymous user
   * @throws TemporaryFailure if the file system fails
   */
  async open(address: Mailbox | AvatarId, client: MailboxClient = {}): Promise<MaildirMailbox> {
    const mailbox = address instanceof Mailbox ? address : mailboxOf(address);
    let path = this.#folder;
    try {
      await this.#maildirs.read();
      path = this.#maildirs.pathOf(mailbox);
      const lock = await this.#lock(path);
      const unlock = () => this.#locks.release(lock);
      const onError = (error: unknown) => this.#onError(error, mailbox);
      const context = {
        path,
        lock,
        files: this.#files,
        promptFiles: this.#promptFiles,
        permissions: this.#permissions,
        buffers: this.#buffers,
        onError,
        unlock,
      };
      try {
        return await openMailbox(context, () => expectClient(client));
      } catch (error) {
        await unlock().catch(onError);
        throw error;
      }
    } catch (error) {
      throw error instanceof LoginError ? error : failureOf(error, path);
    }
  }

  /** Locks a Maildir, and creates one that does not exist. */
  async #lock(path: string): Promise<MailboxLock> {
    this.#owners ??= new LockOwners();
    const lock = new MailboxLock(path, this.#lockContext, this.#owners.next());
    const take = async () => {
      await this.#locks.take(lock);
      return lock;
    };
    try {
      return await take();
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return await this.#maildirs.within(path, take);
  }
}

function expectClient(client: MailboxClient): void {
  if (client.disconnected === true) throw new TemporaryFailure('the client has left during the login');
}

/** Parses an avatar id as an address. A name without `@` is a user such as `<joe>` of LMTP. */
function mailboxOf(address: AvatarId): Mailbox {
  if (address === ANONYMOUS) throw new LoginDenied('not-authorized', 'an anonymous user has no mailbox');
  const at = address.lastIndexOf('@');
  return at === -1 ? new Mailbox(address, '') : new Mailbox(address.slice(0, at), address.slice(at + 1));
}

function failureOf(error: unknown, path: string): TemporaryFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const culprit = codeOf(error) === '' ? 'us' : 'operator';
  return new TemporaryFailure(`cannot open the Maildir ${path}: ${reason}`, { cause: error, culprit });
}

function warner(): (error: unknown) => void {
  const warnings = new Warnings();
  return (error) => warnings.warn('a mailbox was not kept in order', error);
}
