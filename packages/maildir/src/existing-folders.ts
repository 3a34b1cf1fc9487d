import { foldMailbox, Mailbox } from '@postern/esmtp';
import { folderName } from './folder-name.ts';

/**
 * Returns the folders whose names have capitals, by the name that {@link folderName} gives to the
 * folded mailbox. Such a folder is `%41nn@example.com`, of a delivery with `caseSensitive`, or
 * `Ann@example.com`, made by hand. A mailbox whose folded folder exists has no entry. The first of
 * several folders in alphabetical order counts.
 */
export function unfoldedFolders(names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let all: ReadonlySet<string> | undefined;
  for (const name of names) {
    const mailbox = CAPITAL.test(name) ? mailboxOfFolder(name) : undefined;
    if (mailbox === undefined) continue;
    const folded = folderName(foldMailbox(mailbox));
    if (folded === name) continue;
    all ??= new Set(names);
    const other = found.get(folded);
    if (!all.has(folded) && (other === undefined || name < other)) found.set(folded, name);
  }
  return found;
}

/** Parses a name of {@link folderName}. Returns undefined for a shortened name. */
function mailboxOfFolder(name: string): Mailbox | undefined {
  const [localPart, domain, ...rest] = name.split('@');
  if (localPart === undefined || domain === undefined || rest.length > 0 || /%[%u]/.test(name)) return undefined;
  return new Mailbox(unescaped(localPart), unescaped(domain));
}

function unescaped(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (octets) => Buffer.from(octets.replaceAll('%', ''), 'hex').toString());
}

/** Matches a capital letter, plain or escaped, and an escaped octet of a character beyond ASCII. */
const CAPITAL = /[A-Z]|%[4-58-9a-f]/;
