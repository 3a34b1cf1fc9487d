import { Mailbox } from './address.ts';

/**
 * Reads the form that nearly each path has, `<dot-atom@domain>` in ASCII, from the index `from` of
 * a line. Returns undefined for any other text: `readReversePath` and `readForwardPath` decide
 * about it, and agree with this function about the common form. One loop without calls takes a
 * tenth of their time.
 */
export function readPlainPath(line: string, from: number): Mailbox | undefined {
  if (line.charCodeAt(from) !== LESS) return undefined;
  let index = from + 1;
  let code = line.charCodeAt(index);
  // A dot may neither begin nor end the local part, nor follow a dot.
  for (let last = DOT; code !== AT; code = line.charCodeAt(++index)) {
    if (code === DOT ? last === DOT : !(code < 0x80) || ATOM[code] === 0) return undefined;
    last = code;
  }
  const at = index;
  if (at === from + 1 || line.charCodeAt(at - 1) === DOT) return undefined;
  let labelStart = at + 1;
  for (code = line.charCodeAt(++index); ; code = line.charCodeAt(++index)) {
    if (code < 0x80 && LABEL[code] === 1) continue;
    if (code !== DOT && code !== GREATER) return undefined;
    // An empty label lies between two ends of labels.
    const isLabel = index > labelStart && index - labelStart <= MAX_LABEL_LENGTH;
    if (!isLabel || line.charCodeAt(labelStart) === HYPHEN || line.charCodeAt(index - 1) === HYPHEN) return undefined;
    if (code === GREATER) break;
    labelStart = index + 1;
  }
  if (index + 1 - from > MAX_PATH_OCTETS) return undefined;
  return Mailbox.plain(line.slice(from + 1, index), at - from - 1);
}

const MAX_PATH_OCTETS = 256;
const MAX_LABEL_LENGTH = 63;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** For each code 1 if an atom may hold it (RFC 5322 §3.2.3). */
const ATOM = tableOf(`${LETTERS_AND_DIGITS}!#$%&'*+-/=?^_\`{|}~`);
/** For each code 1 if a label may hold it: RFC 5321 §4.1.2, and the underscore of real hosts. */
const LABEL = tableOf(`${LETTERS_AND_DIGITS}-_`);

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(0x80);
  for (const code of Buffer.from(characters)) table[code] = 1;
  return table;
}
