import { X509Certificate } from 'node:crypto';
import type { Address, PeerCertificate, TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';
import { decodePercent } from './decode-percent.ts';
import type { MailHeader } from './mail-request.ts';

/** The mind of a mail client, as nginx describes the client. */
export class MailMind implements Mind {
  readonly protocol: string;
  readonly remote: Address;
  readonly local: Address;
  /** The TLS between the client and nginx. It has no channel binding: nginx passes none on. */
  readonly tls: TlsInfo | undefined;
  /** The argument of EHLO; nginx passes it on only without a login. */
  readonly clientName: string | undefined;
  readonly signal: AbortSignal;
  readonly store = new Map<symbol, unknown>();

  constructor({ protocol, remote, field }: MailHeader, local: Address = UNIX, signal: AbortSignal = NEVER) {
    this.protocol = protocol;
    this.remote = remote;
    this.local = local;
    this.tls = tlsOf(field);
    this.clientName = field('auth-smtp-helo');
    this.signal = signal;
  }
}

function tlsOf(field: MailHeader['field']): TlsInfo | undefined {
  if (field('auth-ssl') !== 'on') return undefined;
  return {
    version: field('auth-ssl-protocol') ?? 'unknown',
    cipher: field('auth-ssl-cipher') ?? 'unknown',
    serverName: undefined,
    peerCertificate: certificateOf(field),
    channelBinding: () => undefined,
  };
}

/**
 * Returns the client's certificate from `Auth-SSL-Cert`, which nginx sends with
 * `auth_http_pass_client_cert on`. `Auth-SSL-Subject` alone lacks the alternative names.
 */
function certificateOf(field: MailHeader['field']): PeerCertificate | undefined {
  const pem = decodePercent(field('auth-ssl-cert') ?? '');
  if (pem === undefined || pem.length === 0) return undefined;
  try {
    const { subject, subjectAltName, fingerprint256 } = new X509Certificate(pem);
    return {
      verified: field('auth-ssl-verify') === 'SUCCESS',
      subject,
      subjectAltName,
      fingerprint256: fingerprint256.replaceAll(':', '').toLowerCase(),
    };
  } catch {
    // No certificate: EXTERNAL is refused.
    return undefined;
  }
}

const UNIX: Address = { family: 'unix', address: '', port: 0 };
const NEVER = new AbortController().signal;
