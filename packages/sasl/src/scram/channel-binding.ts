import type { ChannelBindingType, Mind, TlsInfo } from '@postern/cred';

/**
 * The default channel binding types of both halves, the best first. tls-unique is for TLS 1.2,
 * where clients of GNU SASL know no other type. A transport reports it only for a session that was
 * not resumed and cannot be renegotiated. No triple handshake then gives two channels the same
 * value (RFC 7677 §4).
 */
export const DEFAULT_CHANNEL_BINDINGS: readonly ChannelBindingType[] = [
  'tls-exporter',
  'tls-unique',
  'tls-server-end-point',
];

/**
 * Returns the channel binding data of the type that a client names. Returns undefined if `types` or
 * the connection lacks it.
 */
export function bindingData(
  tls: TlsInfo | undefined,
  type: string,
  types: readonly ChannelBindingType[],
): Uint8Array | undefined {
  const known = types.find((accepted) => accepted === type);
  if (tls === undefined || known === undefined) return undefined;
  // RFC 9266 §3: tls-unique ends with TLS 1.2. §4.2: before TLS 1.3, tls-exporter needs the
  // extended master secret, which Node does not report.
  if (known === (tls.version === 'TLSv1.3' ? 'tls-unique' : 'tls-exporter')) return undefined;
  const data = tls.channelBinding(known);
  return data === undefined || data.length === 0 ? undefined : data;
}

/** Returns the first of these types that this connection has, with its data. */
export function firstBinding(
  tls: TlsInfo | undefined,
  types: readonly ChannelBindingType[],
): { readonly type: ChannelBindingType; readonly data: Uint8Array } | undefined {
  for (const type of types) {
    const data = bindingData(tls, type, types);
    if (data !== undefined) return { type, data };
  }
  return undefined;
}

/**
 * Returns the types that a server accepts from another server, which has the client's TLS. That
 * server does not report a resumed session, in which tls-unique is unsafe (RFC 7677 §4).
 */
export function relayedTypes(
  types: readonly ChannelBindingType[] = DEFAULT_CHANNEL_BINDINGS,
): readonly ChannelBindingType[] {
  return types.filter((type) => type !== 'tls-unique');
}

/**
 * Returns the types that a connection has not used up: tls-exporter serves one authentication (RFC
 * 9266 §4.1).
 */
export function unusedBindings(mind: Mind, types: readonly ChannelBindingType[]): readonly ChannelBindingType[] {
  return mind.store.has(EXPORTER_USED) ? types.filter((type) => type !== 'tls-exporter') : types;
}

/** Records in the connection's store that an authentication has used this type. */
export function useBinding(mind: Mind, type: string): void {
  if (type === 'tls-exporter') mind.store.set(EXPORTER_USED, true);
}

/** Returns a client's TLS after an authentication that has used tls-exporter up (RFC 9266 §4.1). */
export function withoutExporter(tls: TlsInfo | undefined): TlsInfo | undefined {
  if (tls === undefined) return undefined;
  const { version, cipher, serverName, peerCertificate } = tls;
  const channelBinding = (type: ChannelBindingType) => (type === 'tls-exporter' ? undefined : tls.channelBinding(type));
  return { version, cipher, serverName, peerCertificate, channelBinding };
}

const EXPORTER_USED = Symbol('tls-exporter has been used');
