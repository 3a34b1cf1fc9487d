import type { Mind, TlsInfo } from '@postern/cred';

/** What a server knows of the client: always the same, so that the list of what is remembered of it has to be emptied for each exchange. */
export function mindOf(tls: TlsInfo | undefined): Mind {
  return {
    protocol: 'bench',
    remote: { family: 'IPv4', address: '127.0.0.1', port: 1 },
    local: { family: 'IPv4', address: '127.0.0.1', port: 2 },
    tls,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
  };
}

/** A connection with TLS and a client's certificate. What a binding's data cost OpenSSL is not measured: it is there. */
export function tlsOf(version: 'TLSv1.2' | 'TLSv1.3'): TlsInfo {
  const data = Buffer.alloc(BINDING_OCTETS, 1);
  return {
    version,
    cipher: version === 'TLSv1.3' ? 'TLS_AES_256_GCM_SHA384' : 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    serverName: 'mail.example.com',
    peerCertificate: { verified: true, subject: 'CN=joe', subjectAltName: undefined, fingerprint256: 'a'.repeat(64) },
    channelBinding: () => data,
  };
}

/** Of an exporter (RFC 9266 §4), and of a SHA-256. */
export const BINDING_OCTETS = 32;
