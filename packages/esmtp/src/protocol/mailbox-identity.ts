import { Mailbox } from './address.ts';

/**
 * Returns the mailbox with its case folded: two mailboxes that differ only by case fold to the
 * same one. RFC 5321 §2.4 leaves the case of a local part to the final delivery, and discourages
 * a difference. No character beyond ASCII folds to an ASCII letter (the Kelvin sign is no `k`).
 */
export function foldMailbox(mailbox: Mailbox): Mailbox {
  const localPart = foldCase(mailbox.localPart);
  const domain = foldCase(mailbox.domain);
  if (localPart === mailbox.localPart && domain === mailbox.domain) return mailbox;
  return new Mailbox(localPart, domain);
}

/** Returns the text with its case folded, character by character, as {@link foldMailbox} does. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+|[\u0080-\u{10ffff}]/gu, (found) => {
    const folded = found.toLowerCase();
    return found.charCodeAt(0) < 0x80 || NO_ASCII.test(folded) ? folded : found;
  });
}

/**
 * Returns the mailbox of the user whom a subaddress (RFC 5233) such as `ann+list@example.com` belongs
 * to: `ann@example.com`. Each character of `delimiter` separates user and tag, the first that
 * follows a character counts; an empty `delimiter` separates nothing.
 */
export function withoutSubaddress(mailbox: Mailbox, delimiter: string): Mailbox {
  const { localPart, domain } = mailbox;
  for (let index = 1; index < localPart.length; index++) {
    if (!delimiter.includes(localPart.charAt(index))) continue;
    return new Mailbox(localPart.slice(0, index), domain);
  }
  return mailbox;
}

const NO_ASCII = /^[\u0080-\u{10ffff}]+$/u;
