import { isQualified, Mailbox } from './address.ts';

/**
 * True if an address in the fields of senders and recipients has a domain that is not fully qualified (RFC 6409 §4.2). Addresses without
 * a domain have none, and what is written otherwise than RFC 5322 §3.4 has it is not judged: much of what is sent would be refused.
 */
export function hasUnqualifiedAddress(header: Uint8Array): boolean {
  const unfolded = Buffer.from(header.buffer, header.byteOffset, header.length)
    .toString()
    .replace(/\r\n(?=[ \t])/g, '');
  for (const [, addresses = ''] of unfolded.matchAll(FIELD)) {
    for (const domain of domainsIn(addresses)) if (!isQualified(new Mailbox('', domain))) return true;
  }
  return false;
}

/** The domains of a list of addresses. What stands before angle brackets is a name, whatever it looks like. */
function domainsIn(addresses: string): readonly string[] {
  const domains: string[] = [];
  // It keeps its place, so each list has one of its own.
  const domainAt = new RegExp(DOMAIN, 'y');
  let bare: string[] = [];
  let inBrackets = false;
  for (let at = 0; at < addresses.length; ) {
    const character = addresses[at];
    if (character === '"') at = afterQuoted(addresses, at);
    else if (character === '(') at = afterComment(addresses, at);
    else if (character === '@') {
      domainAt.lastIndex = at + 1;
      const [whole = '', domain] = domainAt.exec(addresses) ?? [];
      if (domain !== undefined) (inBrackets ? domains : bare).push(domain);
      at += 1 + whole.length;
    } else {
      at++;
      if (character === '<') bare = [];
      if (character === '<' || character === '>') inBrackets = character === '<';
      else if (!inBrackets && (character === ',' || character === ';' || character === ':')) {
        domains.push(...bare);
        bare = [];
      }
    }
  }
  return [...domains, ...bare];
}

function afterQuoted(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Comments may hold comments. */
function afterComment(text: string, from: number): number {
  let at = from;
  let depth = 0;
  do {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    at += text[at] === '\\' ? 2 : 1;
  } while (depth > 0 && at < text.length);
  return at;
}

const FIELD = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)[ \t]*:([^\r\n]*)/gim;
/** An address literal, or what a domain can be written with. */
const DOMAIN = /[ \t]*(\[[^\]]{0,300}\]|[^ \t<>(),;:"@\\[\]]+)/;
