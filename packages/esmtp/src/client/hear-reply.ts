import { type Conversation, PeerGone } from '@postern/conversation';
import { Reply } from '../protocol/reply.ts';
import { SmtpProtocolError } from './errors.ts';

/** The part of a conversation that brings a server's replies. */
type Words = Pick<Conversation, 'hearLine' | 'unheard'>;

/**
 * Hears one reply, of one line or several (RFC 5321 §4.2). A refusal counts even if the server does not
 * end it properly: the connection closes in the middle of it, or its lines have different codes.
 *
 * @param masked Returns the text without the secrets in it, for an error that quotes the server.
 * @throws SmtpProtocolError with the server's words if they are no reply; the conversation's error if no
 * words come.
 */
export async function hearReply(
  conversation: Words,
  masked: (text: string) => string = (text) => text,
): Promise<Reply> {
  const lines: string[] = [];
  for (let octets = 0; octets < MAX_REPLY; ) {
    const line = await hearLine(conversation, lines, masked);
    if (line instanceof Reply) return line;
    lines.push(line);
    octets += line.length;
    const parsed = REPLY_LINE.exec(line);
    if (parsed === null) throw protocolError('the server said something that is no reply', lines, masked);
    if (parsed[2] !== '-') return replyOf(lines, masked);
  }
  throw protocolError('the server does not end its reply', lines, masked);
}

/**
 * Returns the refusal in what a server has said before it closed the connection, or undefined if there
 * is none. Of several replies the last one counts.
 */
export function lastRefusal(conversation: Pick<Words, 'unheard'>, before: readonly string[] = []): Reply | undefined {
  const words = conversation.unheard(MAX_LINE).split('\r\n');
  let refusal: Reply | undefined;
  let lines: string[] = [];
  for (const line of [...before, ...words]) {
    const parsed = REPLY_LINE.exec(line);
    if (parsed === null) continue;
    lines.push(line);
    // A refusal that is cut off is one; a success that is cut off is none.
    if (isRefusal(parsed)) refusal = reply(lines, parsed);
    if (parsed[2] !== '-') lines = [];
  }
  return refusal;
}

/** Returns the next line, or the server's refusal if the connection closes instead. */
async function hearLine(
  conversation: Words,
  before: readonly string[],
  masked: (text: string) => string,
): Promise<string | Reply> {
  let failure: PeerGone | undefined;
  try {
    const line = await conversation.hearLine(MAX_LINE);
    if (line !== undefined) return line;
  } catch (error) {
    if (!(error instanceof PeerGone)) throw error;
    failure = error;
  }
  const refusal = lastRefusal(conversation, before);
  if (refusal !== undefined) return refusal;
  if (failure !== undefined && before.length === 0) throw failure;
  throw protocolError('the server closed the connection', before, masked);
}

/** The last line's code is the reply's (RFC 5321 §4.2.1); where another line has another code, it may refuse only. */
function replyOf(lines: readonly string[], masked: (text: string) => string): Reply {
  const parsed = lines.map((line) => REPLY_LINE.exec(line) as RegExpExecArray);
  const last = parsed.at(-1) as RegExpExecArray;
  if (isRefusal(last) || parsed.every(([, code]) => code === last[1])) return reply(lines, last);
  throw protocolError('the server changed the code within a reply', lines, masked);
}

function reply(lines: readonly string[], last: RegExpExecArray): Reply {
  const first = REPLY_LINE.exec(lines[0] as string) as RegExpExecArray;
  const enhanced = enhancedOf(first[1] === last[1] ? first : last);
  const texts = lines.map((line) => withoutEnhanced(REPLY_LINE.exec(line)?.[3] ?? '', enhanced));
  return new Reply(Number(last[1]), enhanced, ...texts);
}

function isRefusal([, code = '']: RegExpExecArray): boolean {
  return code >= '400';
}

function protocolError(what: string, lines: readonly string[], masked: (text: string) => string): SmtpProtocolError {
  if (lines.length === 0) return new SmtpProtocolError(what);
  const words = masked(lines.join('\n'));
  return new SmtpProtocolError(`${what}: ${words.length > MAX_QUOTE ? `${words.slice(0, MAX_QUOTE)}…` : words}`);
}

/** The enhanced status code (RFC 2034 §4), if its class is the reply code's own. */
function enhancedOf([, code = '', , text = '']: RegExpExecArray): string | undefined {
  const enhanced = ENHANCED.exec(text)?.[1];
  return enhanced?.[0] === code[0] ? enhanced : undefined;
}

function withoutEnhanced(text: string, enhanced: string | undefined): string {
  if (enhanced === undefined || ENHANCED.exec(text)?.[1] !== enhanced) return text;
  return text.slice(enhanced.length).trimStart();
}

const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s;
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?= |$)/;

/** RFC 5321 §4.5.3.1.5 has 512 octets; a challenge may need 12,288 (RFC 4954 §4). */
const MAX_LINE = 16_384;
const MAX_REPLY = 65_536;
/** Characters of a server's words that an error quotes. */
const MAX_QUOTE = 500;
