import { hash } from 'node:crypto';
import type { Mailbox } from '@postern/esmtp';

/**
 * The name of a mailbox's folder: the address itself, with everything escaped (`%2f`) that is not plainly safe in a file name.
 * Two mailboxes never share one, on a file system that ignores case either; domains are the same in any case (RFC 5321 §2.4).
 * At most 255 octets: an address that would be longer ends in its SHA-256.
 */
export function folderName({ localPart, domain }: Mailbox): string {
  // The bare Postmaster, which alone has no domain, is the same in any case (RFC 5321 §4.1.1.3).
  const bare = domain === '' && localPart !== '';
  const name = bare ? escaped(lowerCase(localPart)) : `${escaped(localPart)}@${escaped(lowerCase(domain))}`;
  if (name.length <= LONGEST) return name;
  // No name that is short enough has `%%` in it.
  return `${name.slice(0, READABLE)}%%${hash('sha256', name)}`;
}

/** Only of ASCII letters: `toLowerCase` makes a `k` of the Kelvin sign, and so one domain of two. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function escaped(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character.isWellFormed()
      ? Buffer.from(character).toString('hex').replace(/../g, '%$&')
      : `%u${character.charCodeAt(0).toString(16)}`,
  );
}

/** Dots are safe between letters and digits: not in front, where they hide, nor at the end, nor two in a row. */
const UNSAFE = /(?<![A-Za-z0-9])\.|\.(?![A-Za-z0-9])|[^a-z0-9.+=_-]/gu;

const LONGEST = 255;
const READABLE = 120;
