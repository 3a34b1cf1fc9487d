import { Fault, type Model } from '../protocol.ts';
import { base64, RIGHT_PASSWORD, SECRETS } from '../secrets.ts';
import { USERS } from '../users.ts';
import type { Visit } from './back-end.ts';

/**
 * Reads what a client sends before its login, led by the replies: each command gets one last reply.
 * Behind a login all octets belong to the back end.
 */
export abstract class ProxiedModel implements Model {
  mayEnd = false;
  startsTls = false;
  /** What has come behind the login. Undefined before it. */
  through: string | undefined;
  /** What was sent behind the commands with an answer. */
  protected rest = '';
  /** The lines and literals of the command that waits for its last reply. */
  protected command = '';
  /** The octets of the literal that the server has asked for. */
  protected asked = 0;
  protected hasGreeted = false;
  protected readonly visit: Visit;
  /** True if the line is answered whose rest comes next. */
  #skipsLine = false;

  constructor(visit: Visit) {
    this.visit = visit;
  }

  send(octets: string): void {
    this.rest += octets;
    if (this.#skipsLine) this.#skipLine();
  }

  get isOwed(): boolean {
    return !this.mayEnd && this.through === undefined && (!this.hasGreeted || (!this.#skipsLine && this.unitEnd() > 0));
  }

  get hasRest(): boolean {
    return this.rest !== '';
  }

  enterTls(): void {
    this.startsTls = false;
    this.rest = '';
  }

  hear(said: string): number {
    if (this.through !== undefined) {
      this.through += said;
      return said.length;
    }
    if (said.includes('BACK-END') && !/(?:OK |Logged in)/.test(said))
      throw new Fault('the back end speaks before the login');
    if (SECRETS.some((secret) => said.includes(secret))) throw new Fault('a secret in a reply');
    return this.hearReply(said);
  }

  /** Takes one reply or a line of it. Returns its length, 0 if more must come. @throws {Fault} */
  protected abstract hearReply(said: string): number;

  /** Returns the end of the line that comes next, with the literals in it; 0 if more must come. */
  protected unitEnd(): number {
    let at = this.asked;
    for (;;) {
      const end = this.rest.indexOf('\r\n', at);
      if (end < 0) return 0;
      const [, octets, plus] = LITERAL.exec(this.rest.slice(at, end)) ?? [];
      if (octets === undefined || plus === '') return end + 2;
      at = end + 2 + Number(octets);
    }
  }

  /** Moves what the server has read to the command. */
  protected take(): void {
    const end = this.unitEnd();
    const unit = end === 0 ? this.rest : this.rest.slice(0, end);
    this.asked = 0;
    this.command += unit;
    this.rest = this.rest.slice(unit.length);
    // The server answers a line that is too long before its end.
    this.#skipsLine = end === 0;
    // The connection ends where client and server may see other lines, and behind what is too much.
    if (/(?:^|[^\r])\n|\r(?!\n)/.test(unit) || unit.length > MAX_UNIT) this.mayEnd = true;
    if (/^(?:\x16|[A-Z]{3,10} \S+ HTTP\/\d)/.test(unit)) this.mayEnd = true;
    const octets = [...unit.matchAll(/\{(\d{1,20})\+\}/g)].reduce((sum, [, digits]) => sum + Number(digits) + 1, 0);
    if (octets > MAX_LITERALS) this.mayEnd = true;
  }

  #skipLine(): void {
    const end = this.rest.indexOf('\r\n');
    if (end < 0) return;
    this.rest = this.rest.slice(end + 2);
    this.#skipsLine = false;
  }

  /** The command is answered. Expects a login where it is right, and a refusal elsewhere. */
  protected settle(reply: string, isOk: boolean, rightLogin: boolean, mayBeLogin: boolean): void {
    if (mayBeLogin && isOk) {
      if (this.visit.behaviour !== 'works') throw new Fault(`a login at a back end that ${this.visit.behaviour}`);
      if (!this.hasPassword(this.command)) throw new Fault('the login of a wrong password');
      this.through = '';
    } else if (rightLogin && this.visit.behaviour === 'works') throw new Fault(`${reply} to a right password`);
    this.command = '';
  }

  protected hasPassword(text: string): boolean {
    return RIGHT.some((secret) => text.includes(secret));
  }

  /**
   * Compares both directions behind the login. `isWhole` is true if the client has read up to the
   * end.
   *
   * @throws {Fault} An octet differs or is missing.
   */
  checkOctets(isWhole: boolean): void {
    const { received, sent } = this.visit;
    if (this.through === undefined) {
      if (received + sent !== '' && isWhole && sent !== this.visit.push)
        throw new Fault('octets at a back end without a login');
      return;
    }
    if (!this.rest.startsWith(received))
      throw new Fault(`the back end has got other octets: ${received.slice(0, 200)}`);
    if (!sent.startsWith(this.through))
      throw new Fault(`the client has got other octets: ${this.through.slice(0, 200)}`);
    if (isWhole && sent !== this.through) throw new Fault(`${this.through.length} octets of ${sent.length} came`);
    if (isWhole && received !== this.rest) throw new Fault(`${received.length} octets of ${this.rest.length} went`);
  }
}

const LITERAL = /\{(\d{1,20})(\+?)\}$/;
const RIGHT: readonly string[] = [
  RIGHT_PASSWORD,
  base64(RIGHT_PASSWORD),
  ...USERS.map((user) => base64(`\0${user}\0${RIGHT_PASSWORD}`)),
];
const MAX_UNIT = 4_096;
const MAX_LITERALS = 4_096;
