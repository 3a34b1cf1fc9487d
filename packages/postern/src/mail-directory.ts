import { type MaybePromise, settled } from '@postern/core';
import { ANONYMOUS, type AvatarFactory, type AvatarId, TemporaryFailure, type UserDirectory } from '@postern/cred';
import { MailDirectory } from '@postern/dovecot-auth';
import { Mailbox, parseMailbox, Rejection } from '@postern/esmtp';
import type { OwnSenders } from './own-senders.ts';
import type { Recipients } from './recipients.ts';

/** The parts of a server that know senders, recipients and users. */
export interface DirectorySources {
  /** Undefined if each user may use any sender: then no address has an owner. */
  readonly ownSenders: OwnSenders | undefined;
  /** Undefined if no option names the recipients: then the mail server decides. */
  readonly recipients: Recipients | undefined;
  /** The user databases that know whether a user exists. */
  readonly users: readonly UserDirectory[];
}

/** Returns a factory of the directories of users and of anonymous clients, for a realm. */
export function mailDirectories(sources: DirectorySources): AvatarFactory<MailDirectory> {
  return (avatarId) => new SiteDirectory(avatarId, sources);
}

/** The senders of one user, and the recipients and owners of the whole site. */
class SiteDirectory extends MailDirectory {
  readonly #avatarId: AvatarId;
  readonly #sources: DirectorySources;

  constructor(avatarId: AvatarId, sources: DirectorySources) {
    super();
    this.#avatarId = avatarId;
    this.#sources = sources;
  }

  /** Each user may send notifications, with the null sender (RFC 6409 §3.2). */
  mayUseSender(sender: string): MaybePromise<boolean> {
    const { ownSenders } = this.#sources;
    if (ownSenders === undefined || (sender === '' && this.#avatarId !== ANONYMOUS)) return true;
    const mailbox = parseInternal(sender);
    return mailbox === undefined ? false : ownSenders.mayUse(this.#avatarId, mailbox);
  }

  hasRecipient(recipient: string): MaybePromise<boolean | undefined> {
    const mailbox = parseInternal(recipient);
    const { recipients } = this.#sources;
    if (mailbox === undefined || recipients === undefined) return undefined;
    return settled(
      () => recipients.resolve(mailbox),
      (resolution) => (resolution === 'foreign' ? undefined : resolution !== 'unknown'),
      isRejected,
    );
  }

  ownersOf(sender: string): MaybePromise<readonly string[]> {
    const { ownSenders, users } = this.#sources;
    if (ownSenders === undefined) return [];
    if (sender.startsWith('@')) return ownSenders.ownersOfDomain(sender.slice(1));
    const mailbox = parseInternal(sender);
    return mailbox === undefined ? [] : ownSenders.ownersOf(mailbox, users);
  }
}

/**
 * Returns false for a permanent Rejection that the operator's function `recipients` has thrown: the
 * recipient is refused.
 *
 * @throws TemporaryFailure for a 4xx Rejection, and any other error as it is
 */
function isRejected(error: unknown): false {
  if (!(error instanceof Rejection)) throw error;
  if (error.reply.code < 500) throw new TemporaryFailure(error.message, { culprit: 'operator', cause: error });
  return false;
}

/**
 * Parses an address as Postfix stores it: a local part with blanks is without its quotes. Returns
 * undefined for a name without a domain.
 */
function parseInternal(address: string): Mailbox | undefined {
  const mailbox = parseMailbox(address);
  if (mailbox !== undefined) return mailbox.domain === '' ? undefined : mailbox;
  const at = address.lastIndexOf('@');
  const domain = parseMailbox(`x${address.slice(at)}`)?.domain;
  return at < 1 || domain === undefined ? undefined : new Mailbox(address.slice(0, at), domain);
}
