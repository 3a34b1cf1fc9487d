import { Duplex } from 'node:stream';
import { Closing, type Conversation, type MaybePromise, TimedOut } from '@postern/conversation';

/** The session whose requests arrive on a socket. */
export interface SocketObserver {
  /** True while a request that has arrived whole has no whole response. */
  readonly owesResponse: boolean;
  /** False while the client has to wait for responses before the server reads on. */
  readonly mayReadOn: boolean;
  /** Called when the peer has ended its side, and a response is owed. */
  onHalfClose(): void;
  /** Called when the peer is silent for too long, and no response is owed. */
  onTimeout(): void;
}

/**
 * A conversation as the socket of a `node:http` server: a stream with the properties of a socket
 * that web frameworks read. It reads while the server consumes, and writes while the transport
 * accepts.
 */
export class ConversationSocket extends Duplex {
  readonly conversation: Conversation;
  readonly #observer: SocketObserver;
  /** True once the peer has ended its side, and the server has not been told. */
  #endIsPending = false;
  #hasUnansweredOctets = false;
  /** True if the server wants octets, and the observer did not let the socket read. */
  #readIsHeld = false;

  constructor(conversation: Conversation, observer: SocketObserver) {
    super();
    this.conversation = conversation;
    this.#observer = observer;
    // The server ends its side behind its last response.
    this.once('finish', () => this.destroy());
    // No hear runs while the server answers the last request of a peer that has ended its side.
    conversation.addDisconnectListener({ onDisconnect: () => this.destroy() });
  }

  /** True if octets have arrived since the last call of {@link requestEnded}. */
  get hasUnansweredOctets(): boolean {
    return this.#hasUnansweredOctets;
  }

  /** Marks the octets as answered, and passes an end of the peer's side to the server. */
  requestEnded(): void {
    this.#hasUnansweredOctets = false;
    this.#passOnEnd();
  }

  get remoteAddress(): string | undefined {
    const { family, address } = this.conversation.transport.remote;
    return family === 'unix' ? undefined : address;
  }

  get remotePort(): number | undefined {
    const { family, port } = this.conversation.transport.remote;
    return family === 'unix' ? undefined : port;
  }

  get localAddress(): string | undefined {
    const { family, address } = this.conversation.transport.local;
    return family === 'unix' ? undefined : address;
  }

  get localPort(): number | undefined {
    const { family, port } = this.conversation.transport.local;
    return family === 'unix' ? undefined : port;
  }

  /** True under TLS: frameworks derive the scheme of the request from it. */
  get encrypted(): boolean {
    return this.conversation.transport.tls !== undefined;
  }

  /** Reads on after {@link SocketObserver.mayReadOn} has become true. */
  readOn(): void {
    if (this.#readIsHeld && !this.destroyed) this._read();
  }

  override _read(): void {
    this.#readIsHeld = !this.#observer.mayReadOn;
    if (this.#readIsHeld) return;
    this.conversation.hearOctets().then(
      (octets) => {
        if (this.destroyed) return;
        if (octets === undefined) this.#hearEnd();
        else {
          this.#hasUnansweredOctets = true;
          this.push(octets);
        }
      },
      (error: unknown) => this.#failRead(error),
    );
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    let sent: MaybePromise<void>;
    try {
      sent = this.conversation.send(chunk);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (sent === undefined) done();
    else sent.then(() => done(), done);
  }

  /** A server drops the response that it owes to a peer that has ended its side. */
  #hearEnd(): void {
    this.#endIsPending = true;
    // The parser takes the last octets in this turn of the event loop.
    setImmediate(() => {
      if (this.#observer.owesResponse) this.#observer.onHalfClose();
      else this.#passOnEnd();
    });
  }

  #passOnEnd(): void {
    if (!this.#endIsPending || this.destroyed) return;
    this.#endIsPending = false;
    this.push(null);
  }

  #failRead(error: unknown): void {
    if (this.destroyed) return;
    const isWaitOver = error instanceof TimedOut || error instanceof Closing;
    if (isWaitOver && this.#observer.owesResponse) this._read();
    else if (error instanceof TimedOut) this.#observer.onTimeout();
    else this.destroy();
  }
}
