/**
 * A failed TLS handshake, with a sentence for the operator. `code` is OpenSSL's or the system's.
 */
export class TlsHandshakeError extends Error {
  readonly code: string;

  constructor(words: string, code: string) {
    super(`${words} (${code})`);
    this.code = code;
  }

  override get name(): string {
    return 'TlsHandshakeError';
  }
}

/**
 * Returns the TlsHandshakeError for a server's error, or the error itself if its code is not in the
 * table.
 */
export function explainHandshake(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const words = WORDS.get(normalized(error.code));
  return words === undefined ? error : new TlsHandshakeError(words, error.code);
}

/**
 * Removes the prefix, which differs between OpenSSL's versions: `SSLV3_ALERT_…`, `TLSV1_ALERT_…`,
 * `SSL/TLS_ALERT_…`.
 */
function normalized(code: string): string {
  return code.replace(/^ERR_SSL_/, '').replace(/^.*ALERT_/, 'ALERT_');
}

const LEFT = 'the client closed the connection during the handshake';
const NO_VERSION = 'the client offers no TLS version that this server supports';
const NO_GROUP = 'client and server have no key exchange group in common';

/**
 * The sentences by OpenSSL's reason without its prefix. `ALERT_…` is an alert from the client (RFC
 * 8446 §6).
 */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['UNSUPPORTED_PROTOCOL', NO_VERSION],
  ['VERSION_TOO_LOW', NO_VERSION],
  ['NO_SHARED_CIPHER', 'client and server have no cipher suite in common'],
  ['NO_SUITABLE_KEY_SHARE', NO_GROUP],
  ['NO_SHARED_GROUP', NO_GROUP],
  ['NO_SHARED_GROUPS', NO_GROUP],
  ['NO_SUITABLE_SIGNATURE_ALGORITHM', 'the client supports no signature of the type of this server’s key'],
  ['NO_SHARED_SIGNATURE_ALGORITHMS', 'the client supports no signature of the type of this server’s key'],
  ['NO_APPLICATION_PROTOCOL', 'the client asks for a protocol (ALPN) that this server does not have'],
  ['HTTP_REQUEST', 'the client spoke HTTP on a port for TLS'],
  ['HTTPS_PROXY_REQUEST', 'the client spoke HTTP on a port for TLS'],
  ['WRONG_VERSION_NUMBER', 'the client did not speak TLS on a port for TLS'],
  ['UNEXPECTED_MESSAGE', 'the client sent a message that does not belong in a handshake'],
  [
    'ALERT_UNKNOWN_CA',
    'the client rejected the certificate of this server: it does not know the authority (unknown CA)',
  ],
  [
    'ALERT_BAD_CERTIFICATE',
    'the client rejected the certificate of this server: bad, or not for the name that it asked for',
  ],
  ['ALERT_UNSUPPORTED_CERTIFICATE', 'the client rejected the certificate of this server: of an unsupported type'],
  ['ALERT_CERTIFICATE_REVOKED', 'the client rejected the certificate of this server: revoked'],
  ['ALERT_CERTIFICATE_EXPIRED', 'the client rejected the certificate of this server: expired, or not valid yet'],
  ['ALERT_CERTIFICATE_UNKNOWN', 'the client rejected the certificate of this server'],
  ['ALERT_ACCESS_DENIED', 'the client rejected the certificate of this server: access denied'],
  ['ALERT_UNRECOGNIZED_NAME', 'the client does not recognise the name of this server'],
  ['ALERT_PROTOCOL_VERSION', 'the client refuses the TLS version of this server'],
  ['ALERT_INSUFFICIENT_SECURITY', 'the client wants stronger ciphers than this server has'],
  ['ALERT_HANDSHAKE_FAILURE', 'the client found nothing in common with this server'],
  ['ALERT_ILLEGAL_PARAMETER', 'the client found a parameter of the handshake wrong'],
  ['ALERT_DECODE_ERROR', 'the client could not read the handshake'],
  ['ALERT_DECRYPT_ERROR', 'the client could not verify the handshake'],
  ['ALERT_INTERNAL_ERROR', 'the client failed during the handshake'],
  ['ALERT_USER_CANCELLED', LEFT],
  ['ECONNRESET', LEFT],
  ['EPIPE', LEFT],
]);
