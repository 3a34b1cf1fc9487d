import { type Conversation, PeerGone } from '@postern/conversation';
import { Refusal } from '../session/refusal.ts';
import { type Literal, literalAtEnd, readStrings } from './read-strings.ts';

/** The bounds of the strings of one command, and the replies to a command that exceeds them. */
export interface StringRules {
  /** Octets of a line behind a literal, without its CRLF. */
  readonly maxLine: number;
  /** Octets of one literal, and of all literals of a command that is refused. */
  readonly maxLiteral: number;
  /** True for a protocol with atoms. Default: false. */
  readonly hasAtoms?: boolean;
  /** The line that asks for a synchronizing literal. Default: such a literal is an error. */
  readonly continuation?: string;
  /** The reply to a command with another syntax, without its last CRLF. */
  readonly invalid: string;
  /** The reply to a command with a literal over the limit. */
  readonly tooBig: string;
  /** The last reply to a client that sends such a literal without a request. */
  readonly closingReply: string;
}

/**
 * Hears the strings of a command whose first line ends with `argument`. Returns between
 * `minStrings` and `maxStrings` strings, with one character for each octet. Asks for synchronizing
 * literals, and hears the others as they come.
 *
 * @throws Refusal for another syntax, another number of strings, or a literal over the limit.
 */
export async function hearStrings(
  conversation: Conversation,
  argument: string,
  [minStrings, maxStrings]: readonly [number, number],
  rules: StringRules,
): Promise<readonly string[]> {
  const { continuation, hasAtoms = false, invalid, maxLine, maxLiteral, tooBig } = rules;
  const strings: string[] = [];
  let line = argument;
  for (let isContinued = false; ; isContinued = true) {
    const read = readStrings(line, isContinued, hasAtoms);
    strings.push(...(read?.strings ?? []));
    const literal = read?.literal;
    if (read !== undefined && literal === undefined && strings.length >= minStrings && strings.length <= maxStrings) {
      return strings;
    }
    const isUnasked = literal?.isSynchronizing === true && continuation === undefined;
    if (literal === undefined || isUnasked || strings.length >= maxStrings) {
      return await refuseWithLiterals(conversation, line, rules, invalid);
    }
    if (literal.octets > maxLiteral) return await refuseWithLiterals(conversation, line, rules, tooBig);
    if (literal.isSynchronizing) conversation.say(`${continuation}\r\n`);
    strings.push(await hearLiteral(conversation, literal));
    line = await hearRest(conversation, maxLine);
  }
}

/**
 * Refuses a command that the line ends, or continues with a literal. Discards the literals that the
 * client sends without a request, since their octets are no commands. A literal over the limit
 * closes the connection unread (RFC 7888 §4).
 *
 * @throws Refusal
 */
export async function refuseWithLiterals(
  conversation: Conversation,
  line: string,
  { closingReply, maxLine, maxLiteral }: Pick<StringRules, 'closingReply' | 'maxLine' | 'maxLiteral'>,
  reply: string,
): Promise<never> {
  let discarded = 0;
  let literal = literalAtEnd(line);
  while (literal !== undefined && !literal.isSynchronizing) {
    discarded += literal.octets;
    if (discarded > maxLiteral) throw new Refusal(`${reply}\r\n${closingReply}`, { closes: true });
    // An empty literal counts as well: a command ends after a bounded number of lines.
    discarded++;
    await conversation.hearBytes(literal.octets, () => {});
    literal = literalAtEnd(await hearRest(conversation, maxLine));
  }
  throw new Refusal(reply);
}

async function hearLiteral(conversation: Conversation, { octets }: Literal): Promise<string> {
  let text = '';
  await conversation.hearBytes(octets, (piece) => {
    text += Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
  });
  return text;
}

/** Returns the rest of a command behind a literal. */
async function hearRest(conversation: Conversation, maxLine: number): Promise<string> {
  const line = await conversation.hearLine(maxLine, true);
  if (line === undefined) throw new PeerGone('the peer left in the middle of a command');
  return line;
}
