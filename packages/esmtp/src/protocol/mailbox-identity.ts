import { Mailbox } from './address.ts';

/**
 * Returns the mailbox with its case folded, so that mailboxes that differ only by case are equal.
 * RFC 5321 §2.4 leaves the case of a local part to the final delivery, and discourages a
 * difference. A character beyond ASCII never folds to an ASCII letter: the Kelvin sign is not `k`.
 */
export function foldMailbox(mailbox: Mailbox): Mailbox {
  const localPart = foldCase(mailbox.localPart);
  const domain = foldCase(mailbox.domain);
  if (localPart === mailbox.localPart && domain === mailbox.domain) return mailbox;
  return new Mailbox(localPart, domain);
}

/** Folds the case of a text, character by character, by the rules of {@link foldMailbox}. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+|[\u0080-\u{10ffff}]/gu, (match) => {
    const folded = match.toLowerCase();
    return match.charCodeAt(0) < 0x80 || NO_ASCII.test(folded) ? folded : match;
  });
}

/**
 * Returns the mailbox without its tag (RFC 5233): `ann@example.com` for `ann+list@example.com`.
 * Each character of `delimiter` is a separator. The first separator counts that is not the first
 * character of the local part. With an empty `delimiter` the mailbox is returned unchanged.
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
