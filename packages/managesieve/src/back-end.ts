import type { Conversation } from '@postern/conversation';
import { BackEnd, BackEndUnavailable } from '@postern/sasl-profile';

/** The avatar of a user in ManageSieve: the server that has the user's scripts. */
export class SieveBackEnd extends BackEnd<undefined> {
  /** Logs in by PLAIN. @throws BackEndUnavailable if the server refuses or is no such server. */
  async logIn(conversation: Conversation): Promise<undefined> {
    const { transport } = conversation;
    let capabilities = await response(conversation, 'the connection');
    if (this.startsTls(transport, capabilities.includes('"STARTTLS"'))) {
      conversation.say('STARTTLS\r\n');
      await response(conversation, 'STARTTLS');
      await conversation.startTls();
      capabilities = await response(conversation, 'TLS');
    }
    const { plain } = this.credentialsFor(transport);
    if (!capabilities.some((line) => /^"SASL" ".*\bPLAIN\b/i.test(line))) {
      throw new BackEndUnavailable('the back end does not offer PLAIN');
    }
    conversation.say(`AUTHENTICATE "PLAIN" {${plain.length}+}\r\n${plain}\r\n`);
    await response(conversation, 'the login');
    return undefined;
  }
}

/** Resolves with the lines before an OK, in upper case. */
async function response(conversation: Conversation, request: string): Promise<readonly string[]> {
  const lines: string[] = [];
  while (lines.length < MAX_LINES) {
    const line = await conversation.hearLine(MAX_LINE_OCTETS);
    if (line !== undefined && /^OK(?: |$)/i.test(line)) return lines;
    if (line?.startsWith('"') !== true) throw new BackEndUnavailable(`the back end ${failureOf(line, request)}`);
    lines.push(line.toUpperCase());
  }
  throw new BackEndUnavailable(`the back end sends more than ${MAX_LINES} lines`);
}

/** Describes a line by its status and code (RFC 5804 §1.3): its text could repeat the password. */
function failureOf(line: string | undefined, request: string): string {
  if (line === undefined) return `has closed the connection before its response to ${request}`;
  const [status] = /^(?:NO|BYE)\b(?: \([A-Z/-]{1,40}\))?/i.exec(line) ?? [];
  return status === undefined ? 'sends lines that are not ManageSieve' : `refuses ${request}: ${status}`;
}

const MAX_LINES = 50;
const MAX_LINE_OCTETS = 8_192;
