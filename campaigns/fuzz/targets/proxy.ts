import { isIP } from 'node:net';
import { InvalidProxyHeader } from '../../../packages/node/src/proxy-additions.ts';
import { parseProxyHeader } from '../../../packages/node/src/proxy-header.ts';
import { hashOf } from '../random.ts';
import { holds, same, type Target } from '../target.ts';

/** PROXY headers of both versions, as their octets come. */
export const proxy: Target = {
  name: 'PROXY',
  maxPumped: 20_000,
  seeds: [
    'PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\nEHLO x\r\n',
    'PROXY TCP6 2001:DB8::1 ::ffff:192.0.2.2 1 2\r\n',
    'PROXY UNKNOWN ff:: 1 2\r\n',
    `${signed('\x21\x11')}\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x19EHLO`,
    `${signed('\x21\x21')}\0\x24${'\x20\x01\x0d\xb8'.repeat(8)}\0\x01\0\x02`,
    `${signed('\x20\0')}\0\0`,
    `${signed('\x21\x11')}\0\x1a\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\0\x19\x20\0\x0b\x01\0\0\0\0\x21\0\x03TLS`,
    `${signed('\x21\x31')}\0\xd8${'/run/x'.padEnd(108, '\0').repeat(2)}`,
  ],
  tokens: [
    'PROXY ',
    'TCP4 ',
    'TCP6 ',
    'UNKNOWN',
    '\r\n',
    ' 65535',
    '::1',
    signed(''),
    '\x21\x11',
    '\x20',
    '\x03\0\x04abcd',
    '\x04\0\0',
    '\x05\0\x02ab',
    '\0\x0c',
  ],
  maxOctets: 300,
  parse: (input) => parseProxyHeader(input),
  run(input) {
    const whole = read(input);
    // How far the beginning goes that is read alone, the octets decide.
    const cut = hashOf(input) % (input.length + 1);
    const beginning = read(input.subarray(0, cut));
    if (typeof whole === 'string') {
      if (whole === 'more')
        same(beginning, 'more', 'a header of which more must come has a beginning of which more must come');
      return whole;
    }
    const { header, length } = whole;
    holds(length <= input.length, 'a header ends within its octets');
    same(
      cut < length ? beginning === 'more' : beginning,
      cut < length ? true : whole,
      'a header is read when its last octet has come',
    );
    const { connection } = header;
    for (const address of [connection?.source, connection?.destination]) {
      if (address === undefined || address.family === 'unix') continue;
      holds(isIP(address.address) === (address.family === 'IPv4' ? 4 : 6), 'an address is one');
    }
    return `${header.version} ${connection?.source.family} ${Math.min(3, header.additions.length)} ${header.tls !== undefined}`;
  },
};

function read(octets: Buffer): string | NonNullable<ReturnType<typeof parseProxyHeader>> {
  try {
    return parseProxyHeader(octets) ?? 'more';
  } catch (error) {
    if (error instanceof InvalidProxyHeader) return error.message.replace(/\d+/, 'N');
    throw error;
  }
}

function signed(rest: string): string {
  return `\r\n\r\n\0\r\nQUIT\n${rest}`;
}
