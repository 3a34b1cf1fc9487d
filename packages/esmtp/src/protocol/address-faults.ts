import { Reply } from './reply.ts';

/** A fault in the text of an address. */
export type AddressFault = keyof typeof faults;

/** The reply text for each fault, in the words of RFC 5321 and without text of the client's. */
const faults = {
  'no-brackets': 'Missing < > around the address',
  'no-closing-bracket': 'Missing > after the address',
  'empty-path': 'The path is empty',
  'source-route': 'Syntax error in the source route',
  'empty-local-part': 'The local part is empty',
  'local-part-blank': 'A local part may not hold a blank unless quoted',
  'local-part-dots': 'A local part may not begin or end with a dot, or hold two in a row, unless quoted',
  'local-part-character': 'The local part holds a character that is not allowed unless quoted',
  'no-closing-quote': 'The quoted local part has no closing quote',
  'quoted-character': 'The quoted local part holds a character that is not allowed',
  'after-quoted': 'Only @ and a domain may follow a quoted local part',
  'no-domain': 'Missing @ and a domain after the local part',
  'empty-domain': 'The domain is empty',
  'empty-label': 'The domain has an empty label',
  'label-hyphen': 'A label of the domain may not begin or end with a hyphen',
  'domain-blank': 'A domain may not hold a blank',
  'domain-character': 'The domain holds a character that is not allowed',
  'address-literal': 'Syntax error in the address literal',
  'long-label': 'A label of the domain is longer than 63 octets',
  'long-domain': 'The domain is longer than 255 octets',
  'long-path': 'The path is longer than 256 octets',
  'unsafe-character': 'An address may not hold control or format characters',
} as const;

/** Returns the reply to MAIL whose reverse-path has the fault (RFC 3463 §3.2, X.1.7). */
export function replyForReversePath(fault: AddressFault): Reply {
  return reversePathReplies[fault];
}

/** Returns the reply to RCPT whose forward-path has the fault (RFC 3463 §3.2, X.1.3). */
export function replyForForwardPath(fault: AddressFault): Reply {
  return forwardPathReplies[fault];
}

function repliesWith(enhanced: '5.1.3' | '5.1.7'): Readonly<Record<AddressFault, Reply>> {
  const replies = Object.entries(faults).map(([fault, text]) => [fault, new Reply(501, enhanced, text)]);
  return Object.fromEntries(replies) as Record<AddressFault, Reply>;
}

const reversePathReplies = repliesWith('5.1.7');
const forwardPathReplies = repliesWith('5.1.3');
