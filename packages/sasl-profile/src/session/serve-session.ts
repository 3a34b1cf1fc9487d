import { BareLineEnding, ConversationError, type LineError, type LineServer, LineTooLong } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { LogoutReason } from '@postern/cred';
import type { ClientSession } from './client-session.ts';
import { type ClosingReason, closingReasonOf, logoutReasonOf } from './closing-reason.ts';
import { HostnameFailed } from './hostname.ts';
import { countJunk } from './junk-commands.ts';
import { Refusal } from './refusal.ts';

/** The words of one session of a line protocol. Replies are without their last CRLF. */
export interface SessionDialogue<V extends string> {
  /** The greeting of the server. */
  readonly greeting: string;
  /**
   * Runs a command. Returns the reply; undefined if the command has said its replies itself.
   * `session.closeReason` ends the session behind the reply. The command bounds each of its waits.
   *
   * @throws Refusal for a command that is refused. Any other error is one of this server.
   */
  command(line: string): MaybePromise<string | undefined>;
  /** Returns the verb of a line, for the log; undefined for an unknown one. */
  verbOf(line: string): V | undefined;
  /**
   * The commands that bring an authenticated client nothing, such as NOOP. Too many of them are
   * delayed, and then close the connection. Before the login each command is one. Default: none.
   */
  readonly junkVerbs?: ReadonlySet<V>;
  /** Returns the refusal of a line that cannot be read. */
  unreadable(error: LineError): string;
  /** Returns the refusal of a command that failed by no fault of the client. */
  failed(line: string): string;
  /** Returns the last reply to a client whose connection this server closes. */
  closingReply(reason: ClosingReason): string;
  /**
   * True closes the connection of a client that took too long without a reply (RFC 1939 §3).
   * Default: false.
   */
  readonly hasSilentTimeout?: boolean;
  /**
   * True if a server that shuts down may end the session between two commands. Default: true.
   */
  readonly interruptible?: boolean;
}

/**
 * Runs one session of a line protocol, from the greeting until the connection closes and the client
 * is logged out. Never rejects. Lines may have `maxOctets` octets. Default: `maxCommandLine`.
 */
export function serveSession<V extends string>(
  session: ClientSession<object, V, string>,
  dialogue: SessionDialogue<V>,
  maxOctets = session.settings.limits.maxCommandLine,
): Promise<void> {
  const { conversation } = session;
  conversation.readTimeout = session.settings.limits.idleTimeout;
  session.restartLifetime();
  if (session.hasListener) session.report({ mind: session.mind, kind: 'connected' });
  // One promise and no async function: their frames would live as long as the connection, and most
  // connections idle.
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = new SessionServer(session, dialogue, maxOctets, resolve);
  try {
    server.greet();
    conversation.serveLines(server);
  } catch (error) {
    server.failed(error);
  }
  return promise;
}

/** Passes each line to the dialogue, and sends the reply. */
class SessionServer<V extends string> implements LineServer {
  readonly maxOctets: number;
  readonly #session: ClientSession<object, V, string>;
  readonly #dialogue: SessionDialogue<V>;
  readonly #onEnd: (ended: Promise<void>) => void;

  constructor(
    session: ClientSession<object, V, string>,
    dialogue: SessionDialogue<V>,
    maxOctets: number,
    onEnd: (ended: Promise<void>) => void,
  ) {
    this.maxOctets = maxOctets;
    this.#session = session;
    this.#dialogue = dialogue;
    this.#onEnd = onEnd;
  }

  get interruptible(): boolean {
    return this.#dialogue.interruptible ?? true;
  }

  greet(): void {
    this.#say(this.#dialogue.greeting);
  }

  ended(): void {
    this.#onEnd(this.#end(this.#session.closeReason ?? 'disconnected', undefined));
  }

  failed(error: unknown): void {
    const reason = closingReasonOf(error);
    const isSilent = reason === undefined || (reason === 'timeout' && this.#dialogue.hasSilentTimeout === true);
    const reply = isSilent ? undefined : this.#dialogue.closingReply(reason);
    if (reply !== undefined) this.#say(reply);
    if (!endsSession(error)) this.#session.reportError('us', 'session', error);
    this.#onEnd(this.#end(logoutReasonOf(error), reply));
  }

  /**
   * Returns false for a client that starts TLS on a port without it. Such a client waits for a TLS
   * record, so the reply leaves at once.
   */
  acceptsFirst(octet: number): boolean {
    if (octet !== TLS_HANDSHAKE) return true;
    this.#refuseForeign('TLS');
    return false;
  }

  heard(line: string | LineError): MaybePromise<boolean> {
    if (typeof line !== 'string') return this.#refuse(this.#unreadable(line), undefined);
    if (HTTP_REQUEST.test(line)) return this.#refuseForeign('HTTP');
    const penalty = this.#isJunk(line) ? countJunk(this.#session, 10) : 'none';
    if (penalty === 'none') return this.#run(line);
    if (penalty === 'disconnect') return this.#refuse(this.#closing('too-many-commands'), line);
    const { conversation, settings } = this.#session;
    return conversation.pause(settings.limits.junkCommandDelay).then(() => this.#run(line));
  }

  #isJunk(line: string): boolean {
    if (!this.#session.authenticated) return true;
    const { junkVerbs } = this.#dialogue;
    if (junkVerbs === undefined) return false;
    const verb = this.#dialogue.verbOf(line);
    return verb === undefined || junkVerbs.has(verb);
  }

  #run(line: string): MaybePromise<boolean> {
    try {
      const reply = this.#dialogue.command(line);
      if (!isPromise(reply)) return this.#send(reply);
      return reply.then(
        (later) => this.#send(later),
        (error: unknown) => this.#failedCommand(error, line),
      );
    } catch (error) {
      return this.#failedCommand(error, line);
    }
  }

  #send(reply: string | undefined): boolean {
    if (reply !== undefined) this.#say(reply);
    return this.#session.closeReason === undefined;
  }

  /** @throws an error that ends the conversation. */
  #failedCommand(error: unknown, line: string): boolean {
    if (error instanceof LineTooLong || error instanceof BareLineEnding) {
      return this.#refuse(this.#unreadable(error), line);
    }
    if (endsSession(error)) throw error;
    if (error instanceof Refusal) return this.#refuse(error, line);
    this.#session.reportError('us', this.#dialogue.verbOf(line) ?? 'session', error);
    return this.#refuse(new Refusal(this.#dialogue.failed(line), { counts: false }), line);
  }

  #unreadable(error: LineError): Refusal {
    // A client that sends bare line endings sees other commands than this server does.
    return new Refusal(this.#dialogue.unreadable(error), { closes: !(error instanceof LineTooLong) });
  }

  #closing(reason: ClosingReason): Refusal {
    return new Refusal(this.#dialogue.closingReply(reason), { closes: true });
  }

  #refuse(refusal: Refusal, line: string | undefined): boolean {
    const session = this.#session;
    if (refusal.counts) session.errorCount++;
    const isTooMany = refusal.counts && session.errorCount >= session.settings.limits.maxErrors;
    const { closes, isReported, reply } = isTooMany && !refusal.closes ? this.#closing('too-many-errors') : refusal;
    if (closes) session.closeReason = 'disconnected';
    if (!isReported && session.hasListener) {
      const verb = line === undefined ? undefined : this.#dialogue.verbOf(line);
      session.report({ mind: session.mind, kind: 'command-refused', verb, reply });
    }
    return this.#send(reply);
  }

  #refuseForeign(protocol: 'TLS' | 'HTTP'): false {
    const reply = this.#dialogue.closingReply('foreign-protocol');
    this.#say(reply);
    this.#session.closeReason = 'disconnected';
    this.#session.report({ mind: this.#session.mind, kind: 'foreign-protocol', protocol, reply });
    return false;
  }

  #say(reply: string): void {
    this.#session.conversation.say(`${reply}\r\n`);
  }

  #end(reason: LogoutReason, reply: string | undefined): Promise<void> {
    const session = this.#session;
    const closed = session.conversation.close();
    const loggedOut = session.logout(reason);
    const ended = loggedOut === undefined ? closed : loggedOut.then(() => closed);
    if (!session.hasListener) return ended;
    return ended.then(() => session.report({ mind: session.mind, kind: 'closed', reason, reply }));
  }
}

/** Returns true for an error behind which no command can follow. Its cause has been reported. */
function endsSession(error: unknown): boolean {
  return error instanceof ConversationError || error instanceof HostnameFailed;
}

/** The first octet of a TLS record that holds a ClientHello (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
/** The first line of a request that a web page makes a browser send to another port. */
const HTTP_REQUEST = /^(?:GET|POST|HEAD|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) \S+ HTTP\/\d/;
