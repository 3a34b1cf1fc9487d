import { Fault, type Model } from '../protocol.ts';
import { base64, RIGHT_PASSWORD } from '../secrets.ts';
import type { ExpectedMessage } from './maildrop.ts';

/**
 * Reads what a client sends by the rules of RFC 1939, 2449, 2595 and 5034, led by the replies: each
 * command gets one reply, which says what the maildrop holds.
 */
export class Pop3Model implements Model {
  mayEnd = false;
  startsTls = false;
  /** True once the server has said that the deletions are done. */
  hasUpdated = false;
  readonly #user: string;
  readonly #messages: readonly ExpectedMessage[];
  readonly #deleted = new Set<number>();
  /** True once no further reply may come. */
  #isOver = false;
  #sent = '';
  #at = 0;
  #state: 'greeting' | 'authorization' | 'exchange' | 'transaction' = 'greeting';
  /** The name of an accepted USER. */
  #named: string | undefined;
  /** The lines of the exchange that is open. */
  #exchange = '';

  constructor(user: string, messages: readonly ExpectedMessage[]) {
    this.#user = user;
    this.#messages = messages;
  }

  /**
   * The indexes of messages that the server may have removed: those that are marked, if it has read
   * QUIT. If a reply is missing, the commands that were sent count.
   */
  get mayBeGone(): ReadonlySet<number> {
    if (this.hasUpdated) return this.#deleted;
    const rest = this.#sent.slice(this.#at);
    if (!/^[ \t]*QUIT/im.test(rest)) return new Set();
    const numbers = [...rest.matchAll(/^[ \t]*DELE[ \t]+0*(\d{1,9})/gim)].map(([, number]) => Number(number) - 1);
    return new Set([...this.#deleted, ...numbers]);
  }

  send(octets: string): void {
    this.#sent = this.#sent.slice(this.#at) + octets;
    this.#at = 0;
  }

  get isOwed(): boolean {
    return !this.mayEnd && (this.#state === 'greeting' || this.#sent.includes('\r\n', this.#at));
  }

  get hasRest(): boolean {
    return this.#at < this.#sent.length;
  }

  enterTls(): void {
    this.startsTls = false;
    this.mayEnd = false;
    this.#named = undefined;
    this.#sent = '';
    this.#at = 0;
  }

  hear(said: string): number {
    if (this.#isOver) throw new Fault(`${JSON.stringify(said.slice(0, 40))} behind the last reply`);
    const end = said.indexOf('\r\n');
    if (end < 0 || end > MAX_STATUS) {
      if (!BEGINNING.test(said.slice(0, MAX_STATUS))) throw new Fault(`no reply: ${JSON.stringify(said.slice(0, 80))}`);
      if (end >= 0 || said.length > MAX_CHALLENGE) throw new Fault('a status line has at most 512 octets');
      return 0;
    }
    const status = said.slice(0, end);
    if (!STATUS.test(status)) throw new Fault(`no reply: ${JSON.stringify(status)}`);
    const isOk = status.startsWith('+OK');
    if (this.#state === 'greeting') {
      if (!isOk) this.#end();
      this.#state = 'authorization';
      return end + 2;
    }
    // A server that waits too long for a command may say so. It closes the connection.
    if (!this.isOwed && !/[\r\n\x16]/.test(this.#sent.slice(this.#at))) {
      if (isOk || status.startsWith('+ ')) throw new Fault(`${JSON.stringify(status)} without a command`);
      this.#end();
      return end + 2;
    }
    const line = this.#peekLine();
    if (!isOk || this.#state === 'exchange' || !isMultiLine(line.text)) {
      this.#takeLine();
      this.#answered(line.text, status);
      return end + 2;
    }
    const dot = said.indexOf('\r\n.\r\n', end);
    if (dot < 0) {
      if (said.length > MAX_RESPONSE) throw new Fault('a response without an end');
      return 0;
    }
    this.#takeLine();
    const body = said.slice(end + 2, dot + 2).replace(/(^|\r\n)\./g, '$1');
    this.#multiLineAnswered(line.text, body);
    return dot + 5;
  }

  #end(): void {
    this.mayEnd = true;
    this.#isOver = true;
  }

  /** Returns the line that is answered next, and where the line behind it begins. */
  #peekLine(): { readonly text: string; readonly end: number } {
    const end = this.#sent.indexOf('\r\n', this.#at);
    const text = end < 0 ? this.#sent.slice(this.#at) : this.#sent.slice(this.#at, end);
    return { text, end: end < 0 ? this.#sent.length : end + 2 };
  }

  #takeLine(): void {
    const { text, end } = this.#peekLine();
    this.#at = end;
    // The connection ends where client and server may see other lines.
    if (/[\r\n]/.test(text)) this.#end();
    if (text.startsWith('\x16') || /^[A-Z]{3,10} \S+ HTTP\/\d/.test(text)) this.mayEnd = true;
  }

  #answered(line: string, status: string): void {
    const isOk = status.startsWith('+OK');
    const isChallenge = status.startsWith('+ ');
    const [, verb = '', rest = ''] = /^([A-Z]{3,4})(?: (.*))?$/is.exec(line) ?? [];
    const keyword = verb.toUpperCase();
    if (this.#state === 'exchange') {
      this.#exchange += `${line}\n`;
      if (isChallenge) return;
      this.#loggedIn(isOk, this.#exchange);
      return;
    }
    if (isChallenge) {
      this.#expect(keyword === 'AUTH' && this.#state === 'authorization', 'a last reply', status);
      this.#state = 'exchange';
      this.#exchange = `${line}\n`;
      return;
    }
    if (keyword === 'QUIT' && rest === '') this.#quit(isOk);
    else if (this.#state === 'authorization') this.#early(keyword, rest, status, isOk);
    else this.#late(keyword, rest, status, isOk);
  }

  #quit(isOk: boolean): void {
    this.#expect(isOk, 'the reply to QUIT', '-ERR');
    this.hasUpdated = this.#state === 'transaction';
    this.#end();
  }

  #early(keyword: string, rest: string, status: string, isOk: boolean): void {
    if (LATE.has(keyword)) this.#expect(!isOk, 'a refusal before the login', status);
    const named = this.#named;
    if (keyword !== 'CAPA') this.#named = undefined;
    // A server closes the connection of a client that sends more behind STLS: at once, or as a
    // failed handshake.
    if (keyword === 'STLS') this.mayEnd = true;
    if (keyword === 'STLS') this.startsTls = isOk;
    else if (keyword === 'USER' && isOk) this.#named = rest;
    else if (keyword === 'PASS') {
      const isRight = named === this.#user && rest === RIGHT_PASSWORD;
      this.#expect(isOk === isRight, isRight ? 'a login' : 'a refusal', status);
      if (isOk) this.#state = 'transaction';
    } else if (keyword === 'AUTH' && isOk) this.#loggedIn(isOk, `${keyword} ${rest}\n`);
    else if (keyword === 'APOP') this.#expect(!isOk, 'a refusal', status);
  }

  /** An exchange has ended. */
  #loggedIn(isOk: boolean, exchange: string): void {
    this.#state = isOk ? 'transaction' : 'authorization';
    this.#named = undefined;
    const hasPassword = exchange.includes(base64(RIGHT_PASSWORD)) || exchange.includes(plain(this.#user));
    this.#expect(!isOk || hasPassword, 'the refusal of a wrong password', '+OK');
  }

  #late(keyword: string, rest: string, status: string, isOk: boolean): void {
    const there = [...this.#messages.entries()].filter(([index]) => !this.#deleted.has(index));
    if (EARLY.has(keyword)) this.#expect(!isOk, 'a refusal behind the login', status);
    if (keyword === 'STAT' && rest === '') {
      const octets = there.reduce((sum, [, { text }]) => sum + text.length, 0);
      this.#expect(status === `+OK ${there.length} ${octets}`, `+OK ${there.length} ${octets}`, status);
    } else if (keyword === 'RSET' && rest === '') {
      this.#expect(isOk, '+OK', status);
      this.#deleted.clear();
    } else if (keyword === 'NOOP' && rest === '') this.#expect(isOk, '+OK', status);
    else if (NUMBERED.has(keyword)) this.#numbered(keyword, rest, status, isOk);
  }

  #numbered(keyword: string, rest: string, status: string, isOk: boolean): void {
    const [, digits] = /^(\d+)(?: \d+)?$/.exec(rest) ?? [];
    const index = Number(digits) - 1;
    const message = this.#deleted.has(index) ? undefined : this.#messages[index];
    const hasForm = digits !== undefined && (keyword === 'TOP') === rest.includes(' ');
    if (!hasForm || message === undefined) {
      // Other spaces than one are no rule of the protocol, and a lenient server may take them.
      const isMalformed = !/^[ \t]*\d+[ \t\d]*$/.test(rest);
      const isWholeList = rest === '' && (keyword === 'LIST' || keyword === 'UIDL');
      if ((hasForm || isMalformed) && !isWholeList) this.#expect(!isOk, 'a refusal', status);
      else this.#expect(!isOk || keyword !== 'DELE', 'a refusal', status);
      return;
    }
    if (keyword === 'LIST') this.#expect(status === `+OK ${index + 1} ${message.text.length}`, 'the size', status);
    else if (keyword === 'UIDL') this.#showUid(`${index + 1}`, status.replace(/^\+OK /, ''));
    else if (keyword === 'DELE') {
      this.#expect(isOk, '+OK', status);
      this.#deleted.add(index);
    } else this.#expect(isOk, 'the message', status);
  }

  #multiLineAnswered(line: string, body: string): void {
    const [keyword = '', ...rest] = line.toUpperCase().split(' ');
    if (keyword === 'CAPA' || keyword === 'AUTH') {
      if (!/^(?:[!-~]+(?: [!-~]+)*\r\n)+$/.test(body)) throw new Fault(`no capabilities: ${JSON.stringify(body)}`);
      return;
    }
    this.#expect(this.#state === 'transaction', 'a refusal before the login', '+OK');
    const there = [...this.#messages.entries()].filter(([index]) => !this.#deleted.has(index));
    if (keyword === 'LIST') {
      const list = there.map(([index, { text }]) => `${index + 1} ${text.length}\r\n`).join('');
      this.#expect(body === list, JSON.stringify(list), JSON.stringify(body));
    } else if (keyword === 'UIDL') {
      const ids = body.split('\r\n').slice(0, -1);
      this.#expect(ids.length === there.length, `${there.length} ids`, JSON.stringify(ids));
      for (const [at, [index]] of there.entries()) this.#showUid(`${index + 1}`, ids[at] ?? '');
    } else this.#showMessage(keyword, Number(rest[0]) - 1, rest[1], body);
  }

  #showMessage(keyword: string, index: number, lines: string | undefined, body: string): void {
    const message = this.#deleted.has(index) ? undefined : this.#messages[index];
    if (message === undefined) throw new Fault(`${keyword} ${index + 1}: there is no such message`);
    const text = keyword === 'TOP' ? topOf(message.text, Number(lines)) : message.text;
    // The end of the response has a CRLF before it, also behind an empty message.
    if (body !== text && !(text === '' && body === '\r\n')) {
      throw new Fault(`${keyword} ${index + 1}: ${body.length} octets are not the ${text.length} of the message`);
    }
  }

  /** Compares a line of UIDL with what was shown before. */
  #showUid(number: string, shown: string): void {
    const [, index = '', uid = ''] = /^(\d+) ([!-~]{1,70})$/.exec(shown) ?? [];
    this.#expect(index === number, `the id of message ${number}`, shown);
    if (uid.includes('/') && uid.includes('-')) throw new Fault(`${uid} has both / and -`);
    const message = this.#messages[Number(number) - 1];
    if (message === undefined) throw new Fault(`message ${number}: there is no such message`);
    if (message.uid !== undefined && message.uid !== uid)
      throw new Fault(`message ${number}: ${uid} was ${message.uid}`);
    const isShared = this.#messages.some((other) => other !== message && other.uid === uid);
    if (isShared) throw new Fault(`two messages have the id ${uid}`);
    message.uid = uid;
  }

  #expect(condition: boolean, what: string, status: string): void {
    if (!condition) throw new Fault(`${status} is not ${what}`);
  }
}

/** Returns true for a command whose good reply has several lines. */
function isMultiLine(line: string): boolean {
  return /^(?:AUTH|CAPA|LIST|UIDL|RETR \S+|TOP \S+ \S+)[ \t]*$/i.test(line);
}

/** Returns the header, the empty line and some lines of the body. */
function topOf(text: string, lines: number): string {
  const header = /^(?:[^\r\n][^\n]*\r\n)*(?:\r\n)?/.exec(text)?.[0] ?? '';
  const body = text.slice(header.length).split(/(?<=\r\n)/);
  return header + body.slice(0, lines).join('');
}

function plain(user: string): string {
  return base64(`\0${user}\0${RIGHT_PASSWORD}`);
}

const STATUS = /^(?:\+OK|-ERR)(?: [ -~\x80-\xff]*)?$|^\+ [A-Za-z0-9+/]*={0,2}$/;
const BEGINNING = /^(?:\+|\+O|\+OK|\+OK .*|-|-E|-ER|-ERR|-ERR .*|\+ .*)\r?$/s;
const MAX_STATUS = 510;
const MAX_CHALLENGE = 16_384;
const MAX_RESPONSE = 1_000_000;
const NUMBERED: ReadonlySet<string> = new Set(['LIST', 'UIDL', 'RETR', 'TOP', 'DELE']);
const LATE: ReadonlySet<string> = new Set([...NUMBERED, 'STAT', 'RSET', 'NOOP', 'LAST']);
/** Commands that belong before the login. */
const EARLY: ReadonlySet<string> = new Set(['USER', 'PASS', 'APOP', 'AUTH', 'STLS']);
