import { type Conversation, PeerGone } from '@postern/conversation';
import { Reply } from '../protocol/reply.ts';
import { SmtpProtocolError } from './errors.ts';

/** The part of a conversation that reads replies. */
type ReplySource = Pick<Conversation, 'hearLine' | 'unheard'>;

/**
 * Hears one reply of one or more lines (RFC 5321 §4.2). A refusal counts even if it is incomplete:
 * the connection closes within it, or its lines have different codes.
 *
 * @param masked - Removes secrets from a text that an error quotes.
 * @throws SmtpProtocolError with the server's text if that is no reply; ConversationError if there
 * is no text
 */
export async function hearReply(
  conversation: ReplySource,
  masked: (text: string) => string = (text) => text,
): Promise<Reply> {
  const lines: string[] = [];
  for (let octets = 0; octets < MAX_REPLY_OCTETS; ) {
    const line = await hearLine(conversation, lines, masked);
    if (line instanceof Reply) return line;
    lines.push(line);
    octets += line.length;
    const parsed = REPLY_LINE.exec(line);
    if (parsed === null) throw protocolError('the server sent a line that is no reply', lines, masked);
    if (parsed[2] !== '-') return replyOf(lines, masked);
  }
  throw protocolError('the server does not end its reply', lines, masked);
}

/**
 * Returns the refusal that a server sent before it closed the connection; undefined without one.
 * The last of several replies counts.
 */
export function lastRefusal(
  conversation: Pick<ReplySource, 'unheard'>,
  before: readonly string[] = [],
): Reply | undefined {
  const words = conversation.unheard(MAX_LINE_OCTETS).split('\r\n');
  let refusal: Reply | undefined;
  let lines: string[] = [];
  for (const line of [...before, ...words]) {
    const parsed = REPLY_LINE.exec(line);
    if (parsed === null) continue;
    lines.push(line);
    // An incomplete refusal counts; an incomplete success does not.
    if (isRefusal(parsed)) refusal = reply(lines, parsed);
    if (parsed[2] !== '-') lines = [];
  }
  return refusal;
}

/** Returns the next line, or the server's refusal if the connection closes instead. */
async function hearLine(
  conversation: ReplySource,
  before: readonly string[],
  masked: (text: string) => string,
): Promise<string | Reply> {
  let failure: PeerGone | undefined;
  try {
    const line = await conversation.hearLine(MAX_LINE_OCTETS);
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

/**
 * Parses the lines. The code of the last line counts (RFC 5321 §4.2.1). Lines with different codes
 * are valid only as a refusal.
 */
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
  return new SmtpProtocolError(
    `${what}: ${words.length > MAX_QUOTED_CHARACTERS ? `${words.slice(0, MAX_QUOTED_CHARACTERS)}…` : words}`,
  );
}

/** Returns the enhanced status code (RFC 2034 §4), if its class equals that of the reply code. */
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

/** RFC 5321 §4.5.3.1.5 allows 512 octets. A challenge may have 12,288 (RFC 4954 §4). */
const MAX_LINE_OCTETS = 16_384;
const MAX_REPLY_OCTETS = 65_536;
/** The most characters of a server's text that an error quotes. */
const MAX_QUOTED_CHARACTERS = 500;
