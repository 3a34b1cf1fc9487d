import {
  Closing,
  type Conversation,
  ConversationError,
  type LineError,
  type LineServer,
  type MemoryAccount,
} from '@postern/conversation';
import type { Clock } from '@postern/core';
import { ConversationMind, type EventReporter, reportError } from '@postern/sasl-profile';
import type { DovecotAuthEvent, Operation } from '../events.ts';
import { MAJOR_VERSION, parseVersion } from '../protocol/handshake.ts';
import type { Limits } from '../protocol/limits.ts';
import { OutputGuard } from './output-guard.ts';

/** The settings of each session with a mail server. */
export interface PeerSettings {
  readonly limits: Limits;
  readonly events: EventReporter<DovecotAuthEvent>;
  readonly clock: Clock;
}

/**
 * One connection of a mail server in the manner of Dovecot's protocols: lines that LF ends, a
 * VERSION of each side, and requests that run side by side.
 */
export abstract class PeerSession implements LineServer {
  readonly maxOctets: number;
  interruptible = true;
  /** The mind of the mail server itself. */
  protected readonly mind: ConversationMind;
  protected readonly output: OutputGuard;
  /** True once the connection closes. */
  protected isOver = false;
  /** The memory of open requests, which act for many clients. */
  protected readonly memory: MemoryAccount;
  readonly #conversation: Conversation;
  readonly #settings: PeerSettings;
  readonly #onEnd: (closed: Promise<void>) => void;
  /** The client's minor version; undefined before its VERSION. */
  #minor: number | undefined;
  #hasGreeted = false;
  #hasShaken = false;
  /** True once the listener closes, or a request has failed temporarily. */
  #closesBothSides = false;
  /** True once the mail server has sent a request. */
  #hasAsked = false;
  readonly #openedAt: number;
  /** True once the listener closes. */
  #isShuttingDown = false;
  /** The timer of a connection that closes behind its open requests. */
  #closing: Disposable | undefined;
  /** The number of lines that were heard. */
  #lines = 0;
  /** True while a turn of the event loop shows whether more lines have arrived. */
  #isPolling = false;

  /** `protocol` is the protocol of the mind. `onEnd` gets the promise of the close. */
  constructor(
    conversation: Conversation,
    settings: PeerSettings,
    protocol: string,
    onEnd: (closed: Promise<void>) => void,
  ) {
    this.maxOctets = settings.limits.maxLine;
    this.#conversation = conversation;
    this.memory = conversation.memory.openUnbounded();
    this.#settings = settings;
    this.#onEnd = onEnd;
    this.#openedAt = settings.clock.now();
    this.mind = new ConversationMind(conversation, protocol);
    this.output = new OutputGuard(conversation, settings.clock, settings.limits.writeTimeout, () => {
      this.violate('the mail server reads nothing');
      conversation.destroy();
    });
  }

  /** The number of requests without an answer. */
  protected abstract get openRequests(): number;

  /** Takes a line that is neither VERSION nor CPID. Returns false for an unknown command. */
  protected abstract command(line: string): boolean;

  /** Ends the work on all open requests. */
  protected abstract dropRequests(): void;

  /** The client's minor version: 0 before its VERSION. */
  protected get minor(): number {
    return this.#minor ?? 0;
  }

  /** True while the connection closes behind its requests and takes no others. */
  protected get isClosing(): boolean {
    return this.#closing !== undefined && !this.#isShuttingDown;
  }

  /** Returns the handshake, which leaves once. */
  protected abstract handshake(): string;

  /** Learns that the client's version has arrived. */
  protected onVersion(): void {}

  /**
   * Hears the mail server, and sends the whole handshake: at the client's first line, if the line
   * is there already, and otherwise without it. Postfix speaks first; Exim waits for the handshake.
   */
  begin(): void {
    const conversation = this.#conversation;
    conversation.lineEnding = 'lf';
    // A mail server keeps its connection for as long as it lives, mostly idle.
    conversation.readTimeout = Number.POSITIVE_INFINITY;
    conversation.expireIn(this.#settings.limits.handshakeTimeout);
    conversation.serveLines(this);
    // The event loop reads octets that have arrived between two turns of setImmediate.
    if (!this.#hasShaken) setImmediate(() => setImmediate(() => this.#sayHandshake()));
  }

  #sayHandshake(): void {
    if (this.#hasShaken || this.isOver) return;
    this.#hasShaken = true;
    this.output.say(this.handshake());
  }

  ended(): void {
    this.end();
  }

  failed(error: unknown): void {
    if (this.isOver) return;
    if (error instanceof Closing && !this.#isShuttingDown) {
      this.#shutDown();
      return;
    }
    if (!(error instanceof ConversationError)) this.reportError('session', error);
    this.end();
  }

  heard(line: string | LineError): boolean {
    if (this.isOver) return false;
    if (typeof line !== 'string') {
      this.violate(`a line of more than ${this.maxOctets} octets`);
      return false;
    }
    if (line.startsWith('VERSION\t')) this.#version(line);
    if (!this.#hasShaken) this.#sayHandshake();
    if (this.command(line)) this.#asked();
    else if (!GREETING.test(line)) this.violate('an unknown command');
    if (!this.#hasGreeted) this.#greet();
    this.#lines++;
    if (this.#isShuttingDown) this.endIfDone();
    return !this.isOver;
  }

  /** Closes the connection of a peer that does not speak the protocol, with one event. */
  protected violate(problem: string): void {
    if (this.isOver) return;
    this.#settings.events.report({ mind: this.mind, kind: 'protocol-error', problem });
    this.end();
  }

  protected reportError(during: Operation, cause: unknown, mind: DovecotAuthEvent['mind'] = this.mind): void {
    reportError(this.#settings.events, mind, during, cause);
  }

  /** Closes the connection after its open requests, and at the latest after the time. */
  protected closeBehindRequests(milliseconds: number): void {
    this.#closesBothSides = true;
    if (this.openRequests === 0) this.end();
    else this.#closing ??= this.#settings.clock.after(milliseconds, () => this.end());
  }

  protected endIfDone(): void {
    if (this.#closing === undefined || this.openRequests > 0) return;
    if (this.#isShuttingDown) this.#endIfQuiet();
    else this.end();
  }

  protected end(): void {
    if (this.isOver) return;
    // Postfix closes its port for a minute after a connection without a handshake.
    this.#sayHandshake();
    this.isOver = true;
    this.#closing?.[Symbol.dispose]();
    this.output.close();
    this.dropRequests();
    this.memory.close();
    // A peer that reads nothing must not keep a connection that is over.
    this.#conversation.readTimeout = this.#settings.limits.writeTimeout;
    this.#onEnd(this.#closesBothSides ? this.#closeBothSides() : this.#conversation.close());
  }

  /**
   * Serves the requests that have arrived, and closes behind the answers. A new connection lasts
   * for its first request: Postfix connects once more for a request that it could not write, and
   * never twice. After a failed handshake it refuses all clients of the port for a minute.
   */
  #shutDown(): void {
    const { closeTimeout, requestTimeout } = this.#settings.limits;
    this.#isShuttingDown = true;
    this.#closesBothSides = true;
    this.interruptible = false;
    this.#limitClose(this.#hasAsked ? requestTimeout : closeTimeout);
    this.#conversation.serveLines(this);
    this.endIfDone();
  }

  #limitClose(milliseconds: number): void {
    this.#closing?.[Symbol.dispose]();
    this.#closing = this.#settings.clock.after(milliseconds, () => this.end());
  }

  #asked(): void {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    if (this.#isShuttingDown && !this.isOver) this.#limitClose(this.#settings.limits.requestTimeout);
  }

  /** True for a connection whose first request may be on its way. */
  get #isNew(): boolean {
    const { clock, limits } = this.#settings;
    return !this.#hasAsked && (!this.#hasGreeted || clock.now() - this.#openedAt < limits.closeTimeout);
  }

  /** Ends the session unless the next poll of the event loop brings a line. */
  #endIfQuiet(): void {
    if (this.#isPolling || this.#isNew) return;
    this.#isPolling = true;
    const lines = this.#lines;
    // The poll lies between two turns. After it the close follows at once: a request that arrives
    // between the two is lost.
    setImmediate(() =>
      setImmediate(() => {
        this.#isPolling = false;
        if (lines === this.#lines && this.openRequests === 0) this.end();
        else this.endIfDone();
      }),
    );
  }

  /**
   * Postfix keeps an idle connection, and would lose the next login in a half-closed one: it writes
   * without an error and answers 454. With both sides closed, the write fails and Postfix connects
   * again, to the next server.
   */
  async #closeBothSides(): Promise<void> {
    try {
      await this.#conversation.flush();
    } catch {
      // The connection broke.
    }
    this.#conversation.destroy();
  }

  /** A mail server that has spoken keeps its place when the listener runs out of connections. */
  #greet(): void {
    this.#hasGreeted = true;
    if (this.isOver) return;
    this.#conversation.expireIn(Number.POSITIVE_INFINITY);
    this.#conversation.standing = 'authenticated';
  }

  #version(line: string): void {
    const version = parseVersion(line);
    if (version === undefined) this.violate('a VERSION without two numbers');
    else if (version.major !== MAJOR_VERSION) this.violate(`the major version ${version.major}`);
    else if (this.#minor !== undefined) this.violate('a second VERSION');
    else {
      this.#minor = version.minor;
      this.onVersion();
    }
  }
}

const GREETING = /^(?:VERSION|CPID)\t/;
