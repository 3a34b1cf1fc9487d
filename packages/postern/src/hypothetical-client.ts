import type { Address, Mind, TlsInfo } from '@postern/cred';
import { type Endpoint, isLocalOnly } from '@postern/node';
import type { ListenerSettings } from './listener-settings.ts';

/** Returns the address of a client that can reach the endpoint: of another machine if possible. */
function hypotheticalAddress(endpoint: Endpoint): Address {
  if ('path' in endpoint) return UNIX_PEER;
  return isLocalOnly(endpoint) ? THIS_MACHINE : ANOTHER_MACHINE;
}

/** Returns the mind of a client at the listener: of another machine if possible. */
export function hypotheticalMind({ endpoint, service }: ListenerSettings, tls: TlsInfo | undefined): Mind {
  return {
    protocol: PROTOCOLS[service],
    remote: hypotheticalAddress(endpoint),
    local: THIS_MACHINE,
    tls,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
  };
}

/**
 * Returns the TLS information of a client without a certificate, with every channel binding of the
 * version.
 */
export function hypotheticalTls(version: 'TLSv1.2' | 'TLSv1.3'): TlsInfo {
  return {
    version,
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: undefined,
    peerCertificate: undefined,
    channelBinding: () => new Uint8Array(32),
  };
}

/** `Mind.protocol` by the services of listeners. */
const PROTOCOLS: Readonly<Record<ListenerSettings['service'], string>> = {
  submission: 'smtp',
  mx: 'smtp',
  lmtp: 'lmtp',
  pop3: 'pop3',
  imap: 'imap',
  sieve: 'managesieve',
  'dovecot-auth': 'dovecot-auth',
  'dovecot-userdb': 'dovecot-userdb',
  saslauthd: 'saslauthd',
  policy: 'policy',
  socketmap: 'socketmap',
  http: 'http',
};
const THIS_MACHINE: Address = { family: 'IPv4', address: '127.0.0.1', port: 0 };
const UNIX_PEER: Address = { family: 'unix', address: '', port: 0 };
/** RFC 5737 §3. */
const ANOTHER_MACHINE: Address = { family: 'IPv4', address: '192.0.2.1', port: 0 };
