import type { Address, Mind, TlsInfo } from '@postern/cred';
import type { Endpoint } from '@postern/node';
import { isLocalOnly } from './local-only.ts';

/** The client that a listener is most open to: on another machine, if one can connect to the endpoint. */
export function imaginedClient(endpoint: Endpoint): Address {
  if ('path' in endpoint) return BY_SOCKET;
  return isLocalOnly(endpoint) ? THIS_MACHINE : ANOTHER_MACHINE;
}

/** What a server would know of a client at this address. */
export function imaginedMind(remote: Address, tls: TlsInfo | undefined): Mind {
  return {
    protocol: 'smtp',
    remote,
    local: THIS_MACHINE,
    tls,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
  };
}

/** The TLS of a client without a certificate of its own, with every channel binding of the version. */
export function imaginedTls(version: 'TLSv1.2' | 'TLSv1.3'): TlsInfo {
  return {
    version,
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: undefined,
    peerCertificate: undefined,
    channelBinding: () => new Uint8Array(32),
  };
}

const THIS_MACHINE: Address = { family: 'IPv4', address: '127.0.0.1', port: 0 };
const BY_SOCKET: Address = { family: 'unix', address: '', port: 0 };
/** RFC 5737 §3. */
const ANOTHER_MACHINE: Address = { family: 'IPv4', address: '192.0.2.1', port: 0 };
