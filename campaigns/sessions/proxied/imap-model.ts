import { Fault } from '../protocol.ts';
import { isRightLogin } from './grammar.ts';
import { ProxiedModel } from './model.ts';

/** The rules of IMAP before a login (RFC 9051 §6.1, §6.2): each tag is answered once, in order. */
export class ImapModel extends ProxiedModel {
  #isBye = false;

  protected hearReply(said: string): number {
    const end = said.indexOf('\r\n');
    if (end < 0) {
      if (said.length > MAX_LINE) throw new Fault('a line without an end');
      return 0;
    }
    const line = said.slice(0, end);
    if (!LINE.test(line)) throw new Fault(`no response: ${JSON.stringify(line)}`);
    if (!this.hasGreeted) {
      if (!/^\* (?:OK|BYE) /.test(line)) throw new Fault(`no greeting: ${line}`);
      this.hasGreeted = true;
      if (line.startsWith('* BYE')) this.mayEnd = true;
    } else if (line.startsWith('+ ')) this.#continued(line);
    else if (line.startsWith('* ')) this.#untagged(line);
    else this.#tagged(line);
    return end + 2;
  }

  #continued(line: string): void {
    if (this.#isBye) throw new Fault(`${line} behind BYE`);
    this.take();
    const literal = /\{(\d{1,20})\}\r\n$/.exec(this.command)?.[1];
    const isExchange = /^\S+ AUTHENTICATE /i.test(this.command);
    if (!isExchange && literal === undefined) throw new Fault(`${line} to ${JSON.stringify(this.command)}`);
    this.asked = isExchange ? 0 : Number(literal);
  }

  #untagged(line: string): void {
    if (line.startsWith('* BYE')) {
      this.mayEnd = true;
      this.#isBye = true;
    } else if (line.startsWith('* BAD')) {
      this.take();
      if (tagOf(this.command) !== undefined && !this.mayEnd)
        throw new Fault(`${line} to ${JSON.stringify(this.command)}`);
      this.command = '';
    }
  }

  #tagged(line: string): void {
    this.take();
    const [tag = '', status] = line.split(' ');
    const command = this.command;
    if (tagOf(command) !== tag) throw new Fault(`${line} to ${JSON.stringify(command.slice(0, 80))}`);
    const [, verb = ''] = /^\S+ (\w+)/.exec(command) ?? [];
    const keyword = verb.toUpperCase();
    if (this.#isBye && keyword !== 'LOGOUT') throw new Fault(`${line} behind BYE`);
    const isOk = status === 'OK';
    if (keyword === 'LOGOUT' && isOk) this.mayEnd = true;
    if (keyword === 'STARTTLS') this.startsTls = isOk;
    // A server closes the connection of a client that sends more behind STARTTLS.
    if (keyword === 'STARTTLS' && !isOk) this.mayEnd = true;
    if (LATE.has(keyword) && isOk) throw new Fault(`${line} before a login`);
    const isLogin = keyword === 'LOGIN' || keyword === 'AUTHENTICATE';
    this.settle(line, isOk, isRightLogin(command.slice(tag.length + 1)), isLogin);
  }
}

function tagOf(command: string): string | undefined {
  return /^([!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]{1,64}) /.exec(command)?.[1];
}

/** RFC 9051 §7: a line of a response. */
const LINE = /^(?:\* (?:OK|NO|BAD|BYE|CAPABILITY|ID) [ -~]+|\+ [ -~]*|[!-~]{1,64} (?:OK|NO|BAD) [ -~]+)$/;
const MAX_LINE = 8_192;
const LATE: ReadonlySet<string> = new Set(['SELECT', 'LIST', 'FETCH', 'APPEND', 'XYZZY', 'STATUS']);
