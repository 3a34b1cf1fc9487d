import type { ChannelBindingType, Mind, TlsInfo } from '@postern/cred';

/**
 * The types that both halves use by default, best first. tls-unique is for TLS 1.2, where clients of
 * GNU SASL know nothing else. A connection must have it only if its session was not resumed and cannot
 * be renegotiated: then no triple handshake gives two channels the same value (RFC 7677 §4).
 */
export const DEFAULT_CHANNEL_BINDINGS: readonly ChannelBindingType[] = [
  'tls-exporter',
  'tls-unique',
  'tls-server-end-point',
];

/** The channel binding data of the type that a client named, if the type is one of `types` and this connection has it. */
export function bindingData(
  tls: TlsInfo | undefined,
  type: string,
  types: readonly ChannelBindingType[],
): Uint8Array | undefined {
  const known = types.find((one) => one === type);
  if (tls === undefined || known === undefined) return undefined;
  // RFC 9266 §3: tls-unique ends with TLS 1.2. §4.2: before TLS 1.3 tls-exporter needs facts that Node does not tell.
  if (known === (tls.version === 'TLSv1.3' ? 'tls-unique' : 'tls-exporter')) return undefined;
  const data = tls.channelBinding(known);
  return data === undefined || data.length === 0 ? undefined : data;
}

/** The first of these types, best first, that this connection has. */
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

/** The types that are left to a connection: tls-exporter is for one authentication only (RFC 9266 §4.1). */
export function unusedBindings(mind: Mind, types: readonly ChannelBindingType[]): readonly ChannelBindingType[] {
  return mind.store.has(EXPORTER_USED) ? types.filter((type) => type !== 'tls-exporter') : types;
}

/** Remembers for the connection that an authentication has used this type. */
export function useBinding(mind: Mind, type: string): void {
  if (type === 'tls-exporter') mind.store.set(EXPORTER_USED, true);
}

/** The same for a client: the channel's TLS after an authentication that has used tls-exporter. */
export function withoutExporter(tls: TlsInfo | undefined): TlsInfo | undefined {
  if (tls === undefined) return undefined;
  const { version, cipher, serverName, peerCertificate } = tls;
  const channelBinding = (type: ChannelBindingType) => (type === 'tls-exporter' ? undefined : tls.channelBinding(type));
  return { version, cipher, serverName, peerCertificate, channelBinding };
}

const EXPORTER_USED = Symbol('tls-exporter has been used');
