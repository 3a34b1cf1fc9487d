import type { Conversation } from '@postern/conversation';
import { Reply } from '../reply.ts';
import { SmtpTrouble } from './errors.ts';

/** Hears one reply, of one line or several (RFC 5321 §4.2). Rejects with SmtpTrouble if what comes is none, or nothing comes. */
export async function hearReply(conversation: Conversation): Promise<Reply> {
  const lines: string[] = [];
  let first: RegExpExecArray | undefined;
  for (let octets = 0; octets < MAX_REPLY; ) {
    const line = await conversation.hearLine(MAX_LINE);
    if (line === undefined) throw new SmtpTrouble('the server closed the connection');
    const parsed = REPLY_LINE.exec(line);
    if (parsed === null) throw new SmtpTrouble('the server said something that is no reply');
    first ??= parsed;
    if (parsed[1] !== first[1]) throw new SmtpTrouble('the server changed the code within a reply');
    octets += line.length;
    lines.push(withoutEnhanced(parsed[3] ?? '', first));
    if (parsed[2] !== '-') return new Reply(Number(first[1]), enhancedOf(first), ...lines);
  }
  throw new SmtpTrouble('the server does not end its reply');
}

/** The enhanced status code (RFC 2034 §4), if its class is the reply code's own. */
function enhancedOf([, code = '', , text = '']: RegExpExecArray): string | undefined {
  const enhanced = ENHANCED.exec(text)?.[1];
  return enhanced?.[0] === code[0] ? enhanced : undefined;
}

function withoutEnhanced(text: string, first: RegExpExecArray): string {
  const enhanced = enhancedOf(first);
  if (enhanced === undefined || ENHANCED.exec(text)?.[1] !== enhanced) return text;
  return text.slice(enhanced.length).trimStart();
}

const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s;
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?= |$)/;

/** RFC 5321 §4.5.3.1.5 has 512 octets; a challenge may need 12,288 (RFC 4954 §4). */
const MAX_LINE = 16_384;
const MAX_REPLY = 65_536;
