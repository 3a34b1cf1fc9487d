import type { MaybePromise } from '@postern/core';

/**
 * The addresses of a site, as a mail server asks for them. The realm returns one for a user that
 * the mail server vouches for (`TrustedLogin`), and one for a client without a name (`Anonymous`).
 * An error that a method throws, or rejects with, is a temporary failure and never a refusal.
 */
export abstract class MailDirectory {
  /**
   * Returns true if the user may send with this envelope sender. The address is without angle
   * brackets, and empty for the null sender.
   */
  abstract mayUseSender(sender: string): MaybePromise<boolean>;

  /**
   * Returns true if the recipient exists, and false if the site has no such recipient. Returns
   * undefined if the mail server decides, as for domains of others.
   */
  abstract hasRecipient(recipient: string): MaybePromise<boolean | undefined>;

  /**
   * Returns the login names of the users that may send with this envelope sender. The key is an
   * address, or `@example.com` for the users that may use each address of a domain. Empty if the
   * address has no owner. Postfix compares the names with the login without regard to case.
   *
   * @throws Error if the directory cannot find users by their addresses.
   */
  abstract ownersOf(sender: string): MaybePromise<readonly string[]>;
}
