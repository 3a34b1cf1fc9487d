import { hash } from 'node:crypto';
import type { Mailbox } from '@postern/esmtp';

/**
 * Returns the folder name of a mailbox: the address, with each character escaped (`%2f`) that is
 * not safe in a file name. Two mailboxes never share a name, even on a file system that ignores
 * case. The case of a domain has no meaning (RFC 5321 §2.4). A name has at most 255 octets: a
 * longer one ends in the SHA-256 of the address.
 */
export function folderName({ localPart, domain }: Mailbox): string {
  // Only Postmaster may stand without a domain, and its case has no meaning (RFC 5321 §4.1.1.3).
  const bare = domain === '' && localPart !== '';
  const name = bare ? escaped(lowerCase(localPart)) : `${escaped(localPart)}@${escaped(lowerCase(domain))}`;
  if (name.length <= MAX_NAME_OCTETS) return name;
  // `%%` occurs in no name that was not shortened.
  return `${name.slice(0, MAX_READABLE_OCTETS)}%%${hash('sha256', name)}`;
}

/**
 * Lowers only ASCII letters: `toLowerCase` turns the Kelvin sign into `k`, and so makes one domain
 * of two.
 */
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

/**
 * Matches characters to escape. A dot is safe between letters or digits, but not at an end and not
 * after a dot.
 */
const UNSAFE = /(?<![A-Za-z0-9])\.|\.(?![A-Za-z0-9])|[^a-z0-9.+=_-]/gu;

const MAX_NAME_OCTETS = 255;
const MAX_READABLE_OCTETS = 120;
