import { type Conversation, type LineError, LineTooLong } from '@postern/conversation';
import {
  type ClosingReason,
  hearStrings,
  type LoginRefusal,
  type ProxySession,
  quote,
  refuseWithLiterals,
  runStartTls,
  type SessionDialogue,
  type StringRules,
} from '@postern/sasl-profile';
import type { SieveBackEnd } from './back-end.ts';

/** A command before the login (RFC 5804 §2). */
export type Verb = 'CAPABILITY' | 'STARTTLS' | 'AUTHENTICATE' | 'LOGOUT' | 'NOOP';

/** The words of one session before its login. */
export class SieveDialogue implements SessionDialogue<Verb> {
  readonly #session: ProxySession<SieveBackEnd, Verb, undefined>;
  readonly #rules: StringRules;
  readonly #commands = new Map<string, (argument: string) => Promise<string | undefined>>([
    ['CAPABILITY', async () => this.greeting],
    ['STARTTLS', () => this.#startTls()],
    ['AUTHENTICATE', (argument) => this.#authenticate(argument)],
    ['LOGOUT', async () => this.#logOut()],
    ['NOOP', (argument) => this.#noop(argument)],
  ]);

  constructor(session: ProxySession<SieveBackEnd, Verb, undefined>) {
    this.#session = session;
    const { maxCommandLine: maxLine, maxExchangeLine: maxLiteral } = session.settings.limits;
    const closingReply = 'BYE "Literal too big"';
    this.#rules = {
      maxLine,
      maxLiteral,
      closingReply,
      invalid: 'NO "Invalid arguments"',
      tooBig: 'NO "Literal too big"',
    };
  }

  /**
   * The capabilities (RFC 5804 §1.7). The extensions of Sieve are the back end's: the client asks
   * for them after the login.
   */
  get greeting(): string {
    const { canStartTls, mechanisms } = this.#session;
    const startTls = canStartTls ? '"STARTTLS"\r\n' : '';
    const sasl = `"SASL" "${mechanisms.join(' ')}"\r\n${startTls}`;
    return `"IMPLEMENTATION" "Postern"\r\n${sasl}"SIEVE" ""\r\n"VERSION" "1.0"\r\nOK`;
  }

  async command(line: string): Promise<string | undefined> {
    const [, name = '', argument = ''] = /^([A-Za-z]+)(?: (.*))?$/.exec(line) ?? [];
    const run = this.#commands.get(name.toUpperCase());
    if (run !== undefined) return await run(argument);
    return await refuseWithLiterals(this.#session.conversation, line, this.#rules, 'NO "Log in first"');
  }

  verbOf(line: string): Verb | undefined {
    const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
    return this.#commands.has(verb) ? (verb as Verb) : undefined;
  }

  unreadable = (error: LineError): string =>
    error instanceof LineTooLong ? 'NO "Line too long"' : 'BYE "Invalid line"';
  failed = (): string => 'NO "Internal error"';
  closingReply = (reason: ClosingReason): string => `BYE "Closing the connection: ${reason.replaceAll('-', ' ')}"`;

  async #startTls(): Promise<string> {
    const refused = (): string => 'NO "TLS cannot start now"';
    await runStartTls(this.#session, { verb: 'STARTTLS', ready: 'OK "Begin TLS now"', replyFor: refused });
    return this.greeting;
  }

  async #authenticate(line: string): Promise<undefined> {
    const { conversation } = this.#session;
    const [mechanism = '', initialResponse] = await hearStrings(conversation, line, [1, 2], this.#rules);
    const hearResponse = (): Promise<string | undefined> => this.#hearResponse(conversation);
    const framing = { prompt: format, hearResponse, replyFor };
    const command = { verb: 'AUTHENTICATE', mechanism, initialResponse, ...framing } as const;
    await this.#session.enter(command, () => 'OK "Logged in"');
  }

  async #hearResponse(conversation: Conversation): Promise<string | undefined> {
    const line = await conversation.hearLine(this.#rules.maxLine, true);
    return line === undefined ? line : (await hearStrings(conversation, line, [1, 1], this.#rules))[0];
  }

  #logOut(): string {
    this.#session.closeReason = 'quit';
    return 'OK "Logging out"';
  }

  async #noop(argument: string): Promise<string> {
    if (argument === '') return 'OK "NOOP completed"';
    const [tag = ''] = await hearStrings(this.#session.conversation, argument, [1, 1], this.#rules);
    const quoted = quote(tag);
    return quoted === undefined ? this.#rules.invalid : `OK (TAG ${quoted}) "NOOP completed"`;
  }
}

/** A quoted string has at most 1,024 octets (RFC 5804 §4). */
function format(base64: string): string {
  return base64.length > 1024 ? `{${base64.length}}\r\n${base64}` : `"${base64}"`;
}

function replyFor(refusal: LoginRefusal): string {
  return replies[refusal] ?? 'NO "Authentication failed"';
}

/** RFC 5804 §1.3. Every other refusal is a failed login. */
const replies: Partial<Record<LoginRefusal, string>> = {
  'needs-tls': 'NO (ENCRYPT-NEEDED) "TLS is required first"',
  'not-offered': 'NO "Unsupported authentication mechanism"',
  cancelled: 'NO "Authentication cancelled"',
  malformed: 'NO "Malformed authentication response"',
  'mechanism-too-weak': 'NO (AUTH-TOO-WEAK) "Authentication mechanism is too weak"',
  'transition-needed': 'NO (TRANSITION-NEEDED) "A password transition is needed"',
  'in-use': 'NO (TRYLATER) "In use"',
  throttled: 'NO (TRYLATER) "Too many attempts"',
  deferred: 'NO (TRYLATER) "Temporary authentication failure"',
  'too-many-failures': 'BYE "Too many failed authentication attempts"',
};
