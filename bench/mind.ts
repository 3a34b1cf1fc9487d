import type { Mind, TlsInfo } from '@postern/cred';

/** Returns the mind of one client. Its `store` is new for each exchange. */
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

/** Returns TLS with a client certificate. The time that OpenSSL takes for a binding is left out. */
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

/** The length of an exporter's data (RFC 9266 §4), and of a SHA-256 digest. */
export const BINDING_OCTETS = 32;
