import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ChannelBindingType, PeerCertificate, TlsInfo } from '@postern/conversation';
import { EndPoint } from './end-point-hash.ts';

/**
 * Returns the TLS information of a socket. Call it right after the handshake: Node forgets most of
 * it with the connection.
 */
export function tlsInfo(socket: TLSSocket, side: 'server' | 'client'): TlsInfo {
  const peer = socket.getPeerX509Certificate();
  return new SocketTlsInfo(socket, side, peer, new EndPoint(side === 'client' ? peer : socket.getX509Certificate()));
}

/** The TLS information of a socket, as {@link tlsInfo} returns it. */
export class SocketTlsInfo implements TlsInfo {
  readonly version: string;
  readonly cipher: string;
  readonly serverName: string | undefined;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly #exporter: Uint8Array;
  readonly #firstFinished: Uint8Array | undefined;
  readonly #endPoint: EndPoint;

  /** `peer` is the peer's certificate, and `endPoint` that of the server's certificate. */
  constructor(socket: TLSSocket, side: 'server' | 'client', peer: X509Certificate | undefined, endPoint: EndPoint) {
    this.version = socket.getProtocol() ?? 'unknown';
    this.cipher = socket.getCipher().standardName;
    // Node has `false` if the client sent no name, and in a session resumed under TLS 1.2.
    this.serverName = nonEmpty(socket.servername);
    this.peerCertificate = peer === undefined ? undefined : peerCertificate(peer, socket.authorized);
    this.#endPoint = endPoint;
    this.#exporter = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', EMPTY);
    this.#firstFinished = this.version === 'TLSv1.3' ? undefined : firstFinished(socket, side);
  }

  channelBinding(type: ChannelBindingType): Uint8Array | undefined {
    switch (type) {
      case 'tls-exporter':
        return this.#exporter;
      case 'tls-unique':
        return this.#firstFinished;
      case 'tls-server-end-point':
        return this.#endPoint.hash;
    }
  }
}

/**
 * Returns the first Finished message of a full handshake, which the client sends (RFC 5929 §3.1).
 * Returns undefined for a resumed session: an attacker can give two sessions the same value (RFC
 * 7627 §1).
 */
function firstFinished(socket: TLSSocket, side: 'server' | 'client'): Uint8Array | undefined {
  if (socket.isSessionReused()) return undefined;
  return side === 'client' ? socket.getFinished() : socket.getPeerFinished();
}

function peerCertificate(certificate: X509Certificate, authorized: boolean): PeerCertificate {
  return {
    verified: authorized,
    subject: certificate.subject,
    subjectAltName: certificate.subjectAltName,
    fingerprint256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

function nonEmpty(name: string | false | null | undefined): string | undefined {
  return name ? name : undefined;
}

const EMPTY = Buffer.alloc(0);
