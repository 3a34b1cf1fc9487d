import {
  Closing,
  ConversationError,
  type LineError,
  type LineServer,
  LineTooLong,
  TimedOut,
} from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { LogoutReason } from '@postern/cred';
import type { ClientSession } from './client-session.ts';
import { Refusal } from './refusal.ts';

/** The words of one session of a line protocol. Replies are without their last CRLF. */
export interface SessionDialogue<V extends string> {
  /** The greeting of the server. */
  readonly greeting: string;
  /**
   * Runs a command. Returns the reply; undefined if the command has said its replies itself.
   * `session.closeReason` ends the session behind the reply.
   *
   * @throws Refusal for a command that is refused.
   */
  command(line: string): MaybePromise<string | undefined>;
  /** Returns the verb of a line, for the log; undefined for an unknown one. */
  verbOf(line: string): V | undefined;
  /** Returns the refusal of a line that cannot be read. */
  unreadable(error: LineError): string;
  /** Returns the refusal of a command that failed by no fault of the client. */
  failed(line: string): string;
  /** Returns the last reply to a client that sends another protocol. */
  foreign(protocol: 'TLS' | 'HTTP'): string;
  /** Returns the last reply to a client with too many errors. */
  readonly tooManyErrors: string;
  /**
   * Returns the last reply to a client whose conversation has failed; undefined if the client has
   * disconnected.
   */
  goodbye(error: unknown): string | undefined;
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
  readonly interruptible = true;
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

  greet(): void {
    this.#say(this.#dialogue.greeting);
  }

  ended(): void {
    this.#onEnd(this.#end(this.#session.closeReason ?? 'disconnected', undefined));
  }

  failed(error: unknown): void {
    const reply = this.#dialogue.goodbye(error);
    if (reply !== undefined) this.#say(reply);
    if (!(error instanceof ConversationError)) this.#session.reportError('us', 'session', error);
    this.#onEnd(this.#end(closeReasonFor(error), reply));
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
    if (error instanceof LineTooLong) return this.#refuse(this.#unreadable(error), line);
    if (error instanceof ConversationError) throw error;
    if (error instanceof Refusal) return this.#refuse(error, line);
    this.#session.reportError('us', this.#dialogue.verbOf(line) ?? 'session', error);
    return this.#refuse(new Refusal(this.#dialogue.failed(line), { counts: false }), line);
  }

  #unreadable(error: LineError): Refusal {
    // A client that sends bare line endings sees other commands than this server does.
    return new Refusal(this.#dialogue.unreadable(error), { closes: !(error instanceof LineTooLong) });
  }

  #refuse(refusal: Refusal, line: string | undefined): boolean {
    const session = this.#session;
    let { reply } = refusal;
    if (refusal.counts) session.errorCount++;
    if (refusal.closes || session.errorCount >= session.settings.limits.maxErrors) session.closeReason = 'disconnected';
    if (!refusal.closes && session.closeReason !== undefined) reply = this.#dialogue.tooManyErrors;
    if (session.hasListener) {
      const verb = line === undefined ? undefined : this.#dialogue.verbOf(line);
      session.report({ mind: session.mind, kind: 'command-refused', verb, reply });
    }
    return this.#send(reply);
  }

  #refuseForeign(protocol: 'TLS' | 'HTTP'): false {
    const reply = this.#dialogue.foreign(protocol);
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

function closeReasonFor(error: unknown): LogoutReason {
  if (error instanceof TimedOut) return 'timeout';
  return error instanceof Closing ? 'shutdown' : 'disconnected';
}

/** The first octet of a TLS record that holds a ClientHello (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
/** A request line of HTTP, which browsers can be made to send to other ports. */
const HTTP_REQUEST = /^[A-Z]{3,10} \S+ HTTP\/\d/;
