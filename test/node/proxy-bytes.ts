/** The parts of a version 2 header. Default: the command PROXY, with TCP over IPv4. */
export interface BinaryHeader {
  readonly command?: number;
  readonly family?: number;
  readonly addresses?: Buffer;
  readonly additions?: readonly Buffer[];
}

export function binaryHeader(parts: BinaryHeader): Buffer {
  const { command = 0x21, family = 0x11, addresses = Buffer.alloc(0), additions = [] } = parts;
  const body = Buffer.concat([addresses, ...additions]);
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head.writeUInt8(command, 12);
  head.writeUInt8(family, 13);
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}

/** Returns a type-length-value vector. */
export function vector(type: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(type, bytes.length >> 8, bytes.length & 0xff), bytes]);
}
