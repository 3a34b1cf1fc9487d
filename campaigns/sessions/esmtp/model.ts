import { Fault, type Model } from '../protocol.ts';

/**
 * Reads what a client sends by the rules of RFC 5321, 3030, 4954 and 2033, led by the replies: each
 * command gets one reply, a message in LMTP one for each recipient, and nothing else is answered.
 */
export class EsmtpModel implements Model {
  /**
   * True once the server may close the connection: behind 421, QUIT, or a line that cannot be read.
   */
  mayEnd = false;
  /** True once no further reply may come. */
  #isOver = false;
  /** True once the server has agreed to start TLS. */
  startsTls = false;
  #sent = '';
  #at = 0;
  #state: 'greeting' | 'commands' | 'message' | 'exchange' = 'greeting';
  #recipients = 0;
  /** Replies to a message that are still to come, in LMTP. */
  #owed = 0;
  readonly #isLmtp: boolean;

  constructor(isLmtp: boolean) {
    this.#isLmtp = isLmtp;
  }

  /** Adds octets that the client sends. */
  send(octets: string): void {
    this.#sent = this.#sent.slice(this.#at) + octets;
    this.#at = 0;
  }

  /** True if the server owes a reply to something that the client has sent as a whole. */
  get isOwed(): boolean {
    if (this.mayEnd) return false;
    if (this.#state === 'greeting' || this.#owed > 0) return true;
    if (this.#state === 'message') return this.#messageEnd() >= 0;
    const end = this.#sent.indexOf('\r\n', this.#at);
    if (end < 0) return false;
    const chunk = this.#state === 'commands' ? BDAT.exec(this.#sent.slice(this.#at, end)) : null;
    return chunk === null || Number(chunk[1]) > MAX_CHUNK || this.#sent.length >= end + 2 + Number(chunk[1]);
  }

  /** True if something was sent that is not answered yet. */
  get hasRest(): boolean {
    return this.#at < this.#sent.length;
  }

  /** The server starts TLS: what was sent before it in the clear is no longer read. */
  enterTls(): void {
    this.startsTls = false;
    this.#sent = '';
    this.#at = 0;
  }

  hear(said: string): number {
    const reply = REPLY.exec(said);
    if (reply !== null) {
      this.#reply(Number(reply[1]));
      return reply[0].length;
    }
    if (!BEGINNING.test(said)) throw new Fault(`no reply: ${JSON.stringify(said.slice(0, 100))}`);
    return 0;
  }

  /** @throws {Fault} Nothing has been sent to which this may be the reply. */
  #reply(code: number): void {
    if (this.#isOver) throw new Fault(`${code} behind the last reply`);
    if (code === 421) {
      if (!this.#isExpected421()) throw new Fault('421 without a reason');
      this.#end();
      return;
    }
    if (this.#state === 'greeting') {
      this.#expect(code === 220, 'a greeting', code);
      this.#state = 'commands';
    } else if (this.#owed > 0) this.#owed -= 1;
    else if (this.#state === 'message') this.#messageAnswered();
    else if (this.#state === 'exchange') {
      if (/[\r\n]/.test(this.#takeLine(code))) this.#end();
      if (code !== 334) this.#state = 'commands';
    } else this.#commandAnswered(this.#takeLine(code), code);
  }

  #end(): void {
    this.mayEnd = true;
    this.#isOver = true;
  }

  /**
   * Returns true where no reply is owed, or where octets follow STARTTLS: the server replies 421.
   */
  #isExpected421(): boolean {
    return !this.isOwed || /^STARTTLS[ \t]*\r\n./is.test(this.#sent.slice(this.#at));
  }

  #commandAnswered(line: string, code: number): void {
    // The connection ends where the next octets may be a command or a message.
    if (/[\r\n]/.test(line) || MAYBE_BDAT.test(line) !== BDAT.test(line)) this.#end();
    // A client that begins TLS in the clear hears so at once, if that is where the server waits.
    if (line.startsWith('\x16')) this.mayEnd = true;
    const word = line.slice(0, 8).toUpperCase().trimEnd();
    const verb = word.slice(0, 4);
    if (['GET ', 'POST', 'HEAD', 'PUT '].includes(verb)) this.mayEnd = true;
    const chunk = BDAT.exec(line);
    if (chunk !== null) this.#chunkAnswered(Number(chunk[1]), code);
    else if (verb === 'DATA' && code === 354) this.#state = 'message';
    else if (verb === 'AUTH' && code === 334) this.#state = 'exchange';
    else if (word === 'STARTTLS' && code === 220) this.startsTls = true;
    else if (verb === 'QUIT' && code === 221) this.#end();
    else {
      this.#expect(code !== 334 && code !== 354, 'a last reply', code);
      if (verb === 'RCPT' && code === 250) this.#recipients += 1;
      else if (code === 250 && ['MAIL', 'RSET', 'EHLO', 'LHLO', 'HELO'].includes(verb)) this.#recipients = 0;
    }
  }

  #chunkAnswered(octets: number, code: number): void {
    if (octets > MAX_CHUNK) {
      this.#end();
      return;
    }
    if (this.#sent.length - this.#at < octets) throw new Fault(`${code} before the chunk has come`);
    this.#at += octets;
  }

  #messageAnswered(): void {
    const end = this.#messageEnd();
    if (end < 0) throw new Fault('a reply before the message has ended');
    this.#at = end;
    this.#state = 'commands';
    if (this.#isLmtp) this.#owed = Math.max(0, this.#recipients - 1);
    this.#recipients = 0;
  }

  /** Where the line of one dot ends; -1 if it has not come. */
  #messageEnd(): number {
    if (this.#sent.startsWith('.\r\n', this.#at)) return this.#at + 3;
    const end = this.#sent.indexOf('\r\n.\r\n', this.#at);
    return end < 0 ? -1 : end + 5;
  }

  #takeLine(code: number): string {
    const end = this.#sent.indexOf('\r\n', this.#at);
    // A bare line end is answered at once, wherever the line ends.
    if (end < 0) {
      const rest = this.#sent.slice(this.#at);
      if (!/[\r\n]/.test(rest) && !rest.startsWith('\x16')) throw new Fault(`${code} without a command`);
      this.#at = this.#sent.length;
      return rest;
    }
    const line = this.#sent.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #expect(condition: boolean, what: string, code: number): void {
    if (!condition) throw new Fault(`${code} is not ${what}`);
  }
}

/**
 * One reply (RFC 5321 §4.2), whose lines have one code and at most 512 octets; a challenge may have
 * more.
 */
const REPLY = /^(?=(\d{3}))(?:\1-[ -~\x80-\xff]{0,506}\r\n)*\1 (?:[ -~\x80-\xff]{0,506}|(?<=334 )[ -~]*)\r\n/;
/** What may become a reply. */
const BEGINNING = /^(?:[2-5]\d\d-[ -~\x80-\xff]*\r\n)*(?:[2-5]?|[2-5]\d{1,2}|[2-5]\d\d[ -][ -~\x80-\xff]*\r?)$/;
const BDAT = /^BDAT (\d{1,20})( LAST)?[ \t]{0,20}$/i;
const MAYBE_BDAT = /^[\0 \t]*BDAT/i;
/** Octets of a chunk that no client means: the server does not wait for it. */
const MAX_CHUNK = 2 ** 30;
