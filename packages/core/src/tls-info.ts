/** A channel binding type of RFC 5929 or RFC 9266. */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';

/** The TLS session of a connection, as seen by either end. */
export interface TlsInfo {
  /** The protocol version as OpenSSL writes it: `TLSv1.3`. */
  readonly version: string;
  /** The cipher suite's name in the IANA registry: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The server name that the client asked for (SNI, RFC 6066 §3). */
  readonly serverName: string | undefined;
  /**
   * The certificate of the peer, if the peer sent one. It proves nothing unless it is `verified`.
   */
  readonly peerCertificate: PeerCertificate | undefined;
  /** Returns the channel binding data of the type, or undefined if the connection has none. */
  channelBinding(type: ChannelBindingType): Uint8Array | undefined;
}

/** The certificate of a peer. */
export interface PeerCertificate {
  /** True if the chain ends at an authority that the operator trusts for such peers. */
  readonly verified: boolean;
  /** The subject, one attribute a line as OpenSSL prints it: `O=Example\nCN=joe`. */
  readonly subject: string;
  /** The alternative names as OpenSSL prints them: `email:joe@example.com, DNS:…`. */
  readonly subjectAltName: string | undefined;
  /** The SHA-256 fingerprint: 64 hexadecimal digits, lower case. */
  readonly fingerprint256: string;
}
