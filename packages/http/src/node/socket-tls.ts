import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsInfo } from '@postern/core';

/** Returns the TLS information of a server's socket; undefined without TLS. */
export function socketTls(socket: Socket): TlsInfo | undefined {
  return isTlsSocket(socket) && !socket.destroyed ? new ServerTls(socket) : undefined;
}

class ServerTls implements TlsInfo {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
  }

  get version(): string {
    return this.#socket.getProtocol() ?? 'unknown';
  }

  get cipher(): string {
    return this.#socket.getCipher().standardName;
  }

  get serverName(): string | undefined {
    // Node has `false` if the client sent no name.
    return (this.#socket as { servername?: string | false | null }).servername || undefined;
  }

  get peerCertificate(): PeerCertificate | undefined {
    const certificate = this.#socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const { subject, subjectAltName, fingerprint256 } = certificate;
    const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
    return { verified: this.#socket.authorized, subject, subjectAltName, fingerprint256: fingerprint };
  }

  /** HTTP authentication binds to no channel: a proxy may share one among clients. */
  channelBinding(): undefined {}
}

function isTlsSocket(socket: Socket): socket is TLSSocket {
  return 'getPeerX509Certificate' in socket;
}
