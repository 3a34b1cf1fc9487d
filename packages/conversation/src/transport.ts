import type { Address, MaybePromise, TlsInfo } from '@postern/core';

/**
 * What an endpoint does about TLS: from the first byte; demanded, by STARTTLS, before anything else of weight; there for whoever asks;
 * not at all.
 */
export type TlsPolicy = 'implicit' | 'required' | 'offered' | 'none';

/**
 * How much a server owes to a peer when connections run short. Strangers go first, the oldest of them before the others; then
 * busy ones, in the middle of a message; a `known` peer has logged in and stays.
 */
export type Standing = 'stranger' | 'busy' | 'known';

/** A connection's bytes, both ways: what sockets and memory both are. One reader, one writer. */
export interface Transport {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** Undefined without TLS; changes when `startTls` resolves. */
  readonly tls: TlsInfo | undefined;

  /**
   * The next bytes, at least one, and the reader's own: it may overwrite them. `later` if nothing is there yet, and then the
   * listener is told; `ended` once the peer has ended its side. Throws if the connection broke or `destroy` was called.
   */
  read(): Uint8Array | 'later' | 'ended';

  /** Who is told of what happens. */
  listener: TransportListener | undefined;

  /** Takes the bytes, or the text as UTF-8. A promise means: wait for it before writing more. It rejects if the connection broke. */
  write(bytes: Uint8Array | string): MaybePromise<void>;

  /** Ends our side when all that was written has gone; the peer may still speak. Once both sides have ended, the connection closes. */
  end(): void;

  /** Closes at once; what was not sent yet is lost. */
  destroy(): void;

  /** Tells the server that accepted the connection what the protocol knows of the peer now. Left out where nothing runs short. */
  setStanding?(standing: Standing): void;

  /** Starts TLS on the open connection and resolves when it is up; what was read and not handed out before is gone. */
  startTls?(): Promise<void>;
}

/** Who is told of what happens to a transport, and never from within a call of one's own. */
export interface TransportListener {
  /** After a read that said `later`: another one would not. */
  onInput(): void;
  /** Once: the peer has ended its side, and nothing that it sent is left to read. */
  onEnd(): void;
  /** Once: the connection is gone for good, whoever closed it. */
  onClose(): void;
  /** Somebody else than the transport wants the wait for input, if there is one, to be over, for this reason. */
  interrupt(reason: Error): void;
}
