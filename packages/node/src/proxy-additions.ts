/** One type-length-value vector of the PROXY protocol's version 2. */
export interface ProxyAddition {
  readonly type: number;
  readonly value: Buffer;
}

/** The bytes are no PROXY header. */
export class InvalidProxyHeader extends Error {
  override get name(): string {
    return 'InvalidProxyHeader';
  }
}

/** The vectors that fill the bytes from there on: an octet for the type, two for the length, the value. */
export function splitAdditions(bytes: Buffer, from: number): ProxyAddition[] {
  const additions: ProxyAddition[] = [];
  let at = from;
  while (at < bytes.length) {
    if (at + 3 > bytes.length) throw new InvalidProxyHeader('half an addition');
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) throw new InvalidProxyHeader('an addition that is longer than its place');
    additions.push({ type: bytes.readUInt8(at), value: bytes.subarray(at + 3, end) });
    at = end;
  }
  return additions;
}
