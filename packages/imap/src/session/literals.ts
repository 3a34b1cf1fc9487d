import { PeerGone } from '@postern/conversation';
import { Refusal } from '@postern/sasl-profile';
import { type Literal, literalAtEnd, readStrings } from '../protocol/strings.ts';
import type { State } from './state.ts';

/**
 * Hears the strings of an argument, at most `maxStrings`. Asks for synchronizing literals (RFC 9051
 * §4.3), and hears the others as they come (RFC 7888).
 *
 * @throws Refusal for a wrong syntax, too many strings, or a literal over the limit.
 */
export async function hearStrings(
  state: State,
  tag: string,
  argument: string,
  maxStrings: number,
): Promise<readonly string[]> {
  const strings: string[] = [];
  let line = argument;
  for (let isContinued = false; ; isContinued = true) {
    const read = readStrings(line, isContinued);
    strings.push(...(read?.strings ?? []));
    if (read !== undefined && strings.length <= maxStrings && read.literal === undefined) return strings;
    const literal = read?.literal ?? literalAtEnd(line);
    if (read?.literal === undefined || strings.length >= maxStrings) {
      return await refuseWithLiterals(state, literal, `${tag} BAD Invalid arguments`);
    }
    if (read.literal.octets > state.limits.maxLiteral) {
      return await refuseWithLiterals(state, literal, `${tag} BAD [TOOBIG] Literal too big`);
    }
    if (read.literal.isSynchronizing) state.conversation.say('+ OK\r\n');
    strings.push(await hearLiteral(state, read.literal));
    line = await hearRest(state);
  }
}

/**
 * Refuses a command. Discards the literals that the client sends without a request, since their
 * octets are no commands. A literal over the limit closes the connection unread (RFC 7888 §4).
 *
 * @throws Refusal
 */
export async function refuseWithLiterals(state: State, literal: Literal | undefined, reply: string): Promise<never> {
  let discarded = 0;
  for (let next = literal; next !== undefined && !next.isSynchronizing; next = literalAtEnd(await hearRest(state))) {
    discarded += next.octets;
    if (discarded > state.limits.maxLiteral) {
      throw new Refusal(`${reply}\r\n* BYE [TOOBIG] Literal too big`, { closes: true });
    }
    // An empty literal counts as well: a command ends after a bounded number of lines.
    discarded++;
    await state.conversation.hearBytes(next.octets, () => {});
  }
  throw new Refusal(reply);
}

async function hearLiteral({ conversation }: State, { octets }: Literal): Promise<string> {
  let text = '';
  await conversation.hearBytes(octets, (piece) => {
    text += Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
  });
  return text;
}

/** Returns the rest of a command behind a literal. */
async function hearRest({ conversation, limits }: State): Promise<string> {
  const line = await conversation.hearLine(limits.maxCommandLine, true);
  if (line === undefined) throw new PeerGone('the peer left in the middle of a command');
  return line;
}
