import { Fault } from '../protocol.ts';
import { isRightLogin } from './grammar.ts';
import { ProxiedModel } from './model.ts';

/** The rules of ManageSieve before a login (RFC 5804 §2): each command gets one OK, NO or BYE. */
export class SieveModel extends ProxiedModel {
  /** False until the capabilities have come that a connection begins with, and TLS. */
  #hasCapabilities = false;

  override enterTls(): void {
    super.enterTls();
    this.#hasCapabilities = false;
  }

  protected hearReply(said: string): number {
    const end = said.indexOf('\r\n');
    if (end < 0) {
      if (said.length > MAX_LINE) throw new Fault('a line without an end');
      return 0;
    }
    const line = said.slice(0, end);
    const [, literal] = /^\{(\d+)\}$/.exec(line) ?? [];
    if (literal !== undefined) {
      const whole = end + 2 + Number(literal) + 2;
      if (said.length < whole) return 0;
      this.#challenged(line);
      return whole;
    }
    if (/^"[^"]*"$/.test(line) && this.#isExchange) this.#challenged(line);
    else if (FINAL.test(line)) this.#answered(line);
    else if (!CAPABILITY.test(line)) throw new Fault(`no response: ${JSON.stringify(line)}`);
    return end + 2;
  }

  get #isExchange(): boolean {
    return this.#hasCapabilities && /^AUTHENTICATE /i.test(this.command === '' ? this.rest : this.command);
  }

  #challenged(line: string): void {
    if (!this.#isExchange) throw new Fault(`${line} outside an exchange`);
    this.take();
  }

  #answered(line: string): void {
    const isOk = line.startsWith('OK');
    if (!this.#hasCapabilities) {
      this.hasGreeted = true;
      this.#hasCapabilities = true;
      if (!isOk) this.mayEnd = true;
      return;
    }
    if (line.startsWith('BYE')) this.mayEnd = true;
    // A server that waits too long says BYE without a command.
    if (this.mayEnd && this.unitEnd() === 0) return;
    this.take();
    const command = this.command;
    if (command === '') throw new Fault(`${line} without a command`);
    const keyword = (/^[A-Za-z]+/.exec(command)?.[0] ?? '').toUpperCase();
    if (keyword === 'LOGOUT' && isOk) this.mayEnd = true;
    if (keyword === 'STARTTLS') {
      this.startsTls = isOk;
      if (!isOk) this.mayEnd = true;
    }
    if (LATE.has(keyword) && isOk) throw new Fault(`${line} before a login`);
    this.settle(line, isOk, isRightLogin(command), keyword === 'AUTHENTICATE');
  }
}

/** RFC 5804 §1.3. */
const FINAL = /^(?:OK|NO|BYE)(?: \([A-Z/-]+(?: "(?:[ !#-[\]-~]|\\["\\])*")?\))?(?: "(?:[ !#-[\]-~]|\\["\\])*")?$/;
const CAPABILITY = /^"[A-Z]+"(?: "[ -~]*")?$/;
const MAX_LINE = 8_192;
const LATE: ReadonlySet<string> = new Set(['LISTSCRIPTS', 'PUTSCRIPT', 'XYZZY']);
