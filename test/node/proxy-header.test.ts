import { InvalidProxyHeader, parseProxyHeader } from '@postern/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { binaryHeader, vector } from './proxy-bytes.ts';

/** The longest address. */
const FULL = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

describe('the PROXY header, version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.1 56324 25', ['192.0.2.1', 56_324, '198.51.100.1', 25]],
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535', ['255.255.255.255', 65_535, '255.255.255.255', 65_535]],
    ['PROXY TCP4 0.0.0.0 0.0.0.0 0 0', ['0.0.0.0', 0, '0.0.0.0', 0]],
    ['PROXY TCP6 2001:DB8::1 2001:db8:0:0:0:0:0:2 1 2', ['2001:db8::1', 1, '2001:db8::2', 2]],
    [`PROXY TCP6 ${FULL} ${FULL} 65535 65535`, [FULL, 65_535, FULL, 65_535]],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2', ['192.0.2.1', 1, '::1', 2]],
  ] as const)('is read: %s', (line, [source, sourcePort, destination, destinationPort]) => {
    const bytes = Buffer.from(`${line}\r\nEHLO client\r\n`);
    expect(parseProxyHeader(bytes)).toEqual({
      header: {
        version: 1,
        connection: { source: address(source, sourcePort), destination: address(destination, destinationPort) },
        tls: undefined,
        additions: [],
      },
      length: line.length + 2,
    });
  });

  it.each(['PROXY UNKNOWN', 'PROXY UNKNOWN ', `PROXY UNKNOWN ${FULL} ${FULL} 65535 65535`])(
    'names no client: %s',
    (line) => {
      const parsed = parseProxyHeader(Buffer.from(`${line}\r\nEHLO`));
      expect(parsed?.header.connection).toBeUndefined();
      expect(parsed?.length).toBe(line.length + 2);
    },
  );

  it.each([
    'PROXY',
    'PROXY ',
    'PROXY  TCP4 192.0.2.1 198.51.100.1 1 2',
    'PROXY tcp4 192.0.2.1 198.51.100.1 1 2',
    'proxy TCP4 192.0.2.1 198.51.100.1 1 2',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 2 ',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3',
    'PROXY TCP4 192.0.2.1  198.51.100.1 1 2',
    'PROXY TCP4 192.0.2.1\t198.51.100.1 1 2',
    'PROXY TCP4 192.0.2.01 198.51.100.1 1 2',
    'PROXY TCP4 192.0.2.256 198.51.100.1 1 2',
    'PROXY TCP4 192.0.2 198.51.100.1 1 2',
    'PROXY TCP4 ::1 ::1 1 2',
    'PROXY TCP6 192.0.2.1 198.51.100.1 1 2',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2',
    'PROXY TCP6 [::1] ::1 1 2',
    'PROXY TCP4 192.0.2.1 198.51.100.1 01 2',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 65536',
    'PROXY TCP4 192.0.2.1 198.51.100.1 -1 2',
    'PROXY TCP4 192.0.2.1 198.51.100.1 +1 2',
    'PROXY TCP4 192.0.2.1 198.51.100.1 0x1 2',
    'PROXY UDP4 192.0.2.1 198.51.100.1 1 2',
    'PROXY UNKNOWNS',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 2\nEHLO',
  ])('is invalid as soon as its line is complete: %j', (line) => {
    expect(() => parseProxyHeader(Buffer.from(`${line}\r\n`))).toThrow(InvalidProxyHeader);
  });

  it('has its line end within 107 octets', () => {
    const most = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(most).toHaveLength(107);
    expect(parseProxyHeader(Buffer.from(most))?.length).toBe(107);
    expect(parseProxyHeader(Buffer.from(most.slice(0, 106)))).toBeUndefined();
    expect(() => parseProxyHeader(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`))).toThrow('no line end in 107');
  });
});

describe('the PROXY header, version 2', () => {
  const ipv4 = Buffer.of(192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0, 25);
  const ipv6 = Buffer.from(`20010db8${'00'.repeat(11)}01${'00'.repeat(15)}0100010019`, 'hex');
  const unix = Buffer.concat([
    Buffer.from('/run/client'.padEnd(108, '\0')),
    Buffer.from('/run/server'.padEnd(108, '\0')),
  ]);

  it.each([
    [0x11, ipv4, address('192.0.2.1', 56_324), address('198.51.100.1', 25)],
    [0x12, ipv4, address('192.0.2.1', 56_324), address('198.51.100.1', 25)],
    [0x21, ipv6, address('2001:db8::1', 1), address('::1', 25)],
    [0x22, ipv6, address('2001:db8::1', 1), address('::1', 25)],
    [
      0x31,
      unix,
      { family: 'unix', address: '/run/client', port: 0 },
      { family: 'unix', address: '/run/server', port: 0 },
    ],
  ])('is parsed, family and transport %i', (family, addresses, source, destination) => {
    const bytes = binaryHeader({ family, addresses });
    const parsed = parseProxyHeader(Buffer.concat([bytes, Buffer.from('EHLO')]));
    expect(parsed).toEqual({
      header: { version: 2, connection: { source, destination }, tls: undefined, additions: [] },
      length: bytes.length,
    });
  });

  it('has UNIX sockets without a name, with an abstract name, and with the longest path', () => {
    const path = (bytes: string) => {
      const addresses = Buffer.concat([Buffer.from(bytes.padEnd(108, '\0')), Buffer.alloc(108)]);
      return parseProxyHeader(binaryHeader({ family: 0x31, addresses }))?.header.connection?.source.address;
    };
    expect(path('')).toBe('');
    expect(path('\0abstract')).toBe('\0abstract');
    expect(path('/'.repeat(108))).toBe('/'.repeat(108));
  });

  it.each([
    ['LOCAL', { command: 0x20, family: 0x00 }],
    ['LOCAL with addresses, which are ignored', { command: 0x20, family: 0x11, addresses: ipv4 }],
    ['LOCAL with part of an address', { command: 0x20, family: 0x11, addresses: Buffer.from('some') }],
    ['UNSPEC', { family: 0x00 }],
    ['UNSPEC with ignored octets', { family: 0x00, addresses: Buffer.alloc(200, 0xff) }],
  ])('names no client: %s', (_title, parts) => {
    const bytes = binaryHeader(parts);
    const parsed = parseProxyHeader(Buffer.concat([bytes, Buffer.from('EHLO')]));
    expect(parsed?.header).toEqual({ version: 2, connection: undefined, tls: undefined, additions: [] });
    expect(parsed?.length).toBe(bytes.length);
  });

  it.each([
    ['another version', binaryHeader({ command: 0x11, addresses: ipv4 })],
    ['an unknown command', binaryHeader({ command: 0x22, addresses: ipv4 })],
    ['an unknown family', binaryHeader({ family: 0x41, addresses: ipv4 })],
    ['an unknown transport', binaryHeader({ family: 0x13, addresses: ipv4 })],
    ['a family without a transport', binaryHeader({ family: 0x10, addresses: ipv4 })],
    ['fewer octets than its addresses need', binaryHeader({ family: 0x11, addresses: ipv4.subarray(1) })],
    ['more than 16 KiB', binaryHeader({ addresses: ipv4, additions: [vector(0xe0, Buffer.alloc(16_384))] })],
    ['a wrong end of the signature', Buffer.from('0d0a0d0a000d0a515549540b2111000c', 'hex')],
    ['an addition without its length', binaryHeader({ addresses: ipv4, additions: [Buffer.of(1, 0)] })],
    ['a truncated addition', binaryHeader({ addresses: ipv4, additions: [Buffer.of(1, 0, 5, 1, 2, 3, 4)] })],
    ['a unique id of 129 octets', binaryHeader({ addresses: ipv4, additions: [vector(0x05, Buffer.alloc(129))] })],
    ['a checksum of 3 octets', binaryHeader({ addresses: ipv4, additions: [vector(0x03, Buffer.alloc(3))] })],
    ['a wrong checksum', binaryHeader({ addresses: ipv4, additions: [vector(0x03, Buffer.of(1, 2, 3, 4))] })],
    ['TLS information of 4 octets', binaryHeader({ addresses: ipv4, additions: [vector(0x20, Buffer.alloc(4))] })],
    [
      'TLS information with a truncated addition',
      binaryHeader({ addresses: ipv4, additions: [vector(0x20, Buffer.of(1, 0, 0, 0, 0, 0x21))] }),
    ],
  ])('is invalid with %s', (_title, bytes) => {
    expect(() => parseProxyHeader(bytes)).toThrow(InvalidProxyHeader);
  });

  it('has its additions in order, without the padding', () => {
    const additions = [
      vector(0x01, 'smtp'),
      vector(0x04, 'filling'),
      vector(0x05, 'id'),
      vector(0xe0, ''),
      vector(0x01, 'h2'),
    ];
    const { header } = parseProxyHeader(binaryHeader({ addresses: ipv4, additions })) ?? {};
    expect(header?.additions.map(({ type, value }) => [type, String(value)])).toEqual([
      [0x01, 'smtp'],
      [0x05, 'id'],
      [0xe0, ''],
      [0x01, 'h2'],
    ]);
  });

  it('has a checksum at any position, which is verified', () => {
    const before = binaryHeader({ addresses: ipv4, additions: [vector(0x03, Buffer.alloc(4)), vector(0x02, 'mail')] });
    const after = binaryHeader({ addresses: ipv4, additions: [vector(0x02, 'mail'), vector(0x03, Buffer.alloc(4))] });
    // Another implementation of CRC-32C computed these checksums.
    before.write('dfba8b85', 31, 'hex');
    after.write('206ed560', 38, 'hex');
    for (const bytes of [before, after]) {
      expect(parseProxyHeader(bytes)?.header.additions).toHaveLength(2);
      for (let at = 16; at < 28; at++) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        expect(() => parseProxyHeader(changed)).toThrow('a wrong checksum');
      }
    }
  });

  it('reports the TLS between the client and the proxy', () => {
    const info = (client: number, verify: number) => {
      const value = Buffer.concat([
        Buffer.of(client, 0, 0, 0, verify),
        vector(0x21, 'TLSv1.3'),
        vector(0x22, 'joe'),
        vector(0x23, 'TLS_AES_256_GCM_SHA384'),
        vector(0x24, 'SHA256'),
      ]);
      return parseProxyHeader(binaryHeader({ addresses: ipv4, additions: [vector(0x20, value)] }))?.header.tls;
    };
    const known = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', commonName: 'joe' };
    expect(info(0x07, 0)).toEqual({ ...known, verified: true });
    expect(info(0x05, 0)).toEqual({ ...known, verified: true });
    expect(info(0x03, 1)).toEqual({ ...known, verified: false });
    expect(info(0x01, 0)).toEqual({ ...known, verified: false });
    expect(info(0x06, 0)).toBeUndefined();
  });
});

describe('parseProxyHeader', () => {
  const headers = [
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    binaryHeader({ addresses: Buffer.alloc(12, 1), additions: [vector(0x02, 'mail.example.com')] }),
    binaryHeader({ command: 0x20, family: 0 }),
  ];

  it('needs the whole header, and no octet after it', () => {
    for (const header of headers) {
      for (let length = 0; length < header.length; length++) {
        expect(parseProxyHeader(header.subarray(0, length))).toBeUndefined();
      }
      expect(parseProxyHeader(header)?.length).toBe(header.length);
      expect(parseProxyHeader(Buffer.concat([header, header]))?.length).toBe(header.length);
    }
  });

  it('rejects at the first wrong octet', () => {
    for (const text of ['E', 'PE', '\r\r', '\x16', 'PROXYTCP4', '\r\n\r\n\0\r\nQUIT\r']) {
      expect(() => parseProxyHeader(Buffer.from(text))).toThrow('no PROXY header');
    }
  });

  it('fails with InvalidProxyHeader only, for all octets', () => {
    const changed = fc
      .tuple(fc.constantFrom(...headers), fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([header, changes]) => {
        const bytes = Buffer.from(header);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    const noise = fc
      .uint8Array({ maxLength: 300 })
      .map((bytes) => Buffer.concat([headers[2]?.subarray(0, 12) ?? Buffer.alloc(0), bytes]));
    fc.assert(
      fc.property(fc.oneof(changed, noise), (bytes) => {
        try {
          const parsed = parseProxyHeader(bytes);
          if (parsed !== undefined) expect(parsed.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidProxyHeader);
        }
      }),
      { numRuns: runs(2000) },
    );
  });
});

function address(text: string, port: number) {
  return { family: text.includes(':') ? 'IPv6' : 'IPv4', address: text, port };
}
