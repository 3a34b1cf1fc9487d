import { foldMailbox, type Mailbox, type Recipient } from '@postern/esmtp';
import type { Maildirs } from './maildirs.ts';

/** One Maildir that gets a copy of the message, for one or more recipients. */
export interface Addressee {
  readonly path: string;
  readonly mailbox: Mailbox;
  /** The header fields of this Maildir's copy, each with its CRLF. */
  readonly fields: string;
}

/**
 * Returns the Maildir of each recipient, in their order. Recipients with one Maildir get the same
 * object.
 */
export function addresseesOf(recipients: readonly Recipient[], maildirs: Maildirs): readonly Addressee[] {
  const recipientsOf = new Map<string, Recipient[]>();
  const paths = recipients.map((recipient) => {
    const path = maildirs.pathOf(recipient.forwardPath);
    const others = recipientsOf.get(path);
    if (others === undefined) recipientsOf.set(path, [recipient]);
    else others.push(recipient);
    return path;
  });
  const addressees = new Map<string, Addressee>();
  for (const [path, [first, ...others]] of recipientsOf) {
    if (first === undefined) continue;
    const mailbox = maildirs.mailboxOf(first.forwardPath);
    addressees.set(path, { path, mailbox, fields: deliveredTo([first, ...others], mailbox) });
  }
  return paths.map((path) => addressees.get(path) as Addressee);
}

/**
 * Returns the `Delivered-To:` fields (RFC 9228): one for each address that differs from the
 * mailbox, by its tag or as an alias. The mailbox's own address gets no field, so that its copy can
 * be a hard link.
 */
function deliveredTo(recipients: readonly Recipient[], mailbox: Mailbox): string {
  const own = String(foldMailbox(mailbox));
  const addresses = new Map<string, Mailbox>();
  for (const { forwardPath, originalPath = forwardPath } of recipients) {
    const key = String(foldMailbox(originalPath));
    if (key !== own && !addresses.has(key)) addresses.set(key, originalPath);
  }
  return Array.from(addresses.values(), (address) => `Delivered-To: ${address.toString()}\r\n`).join('');
}
