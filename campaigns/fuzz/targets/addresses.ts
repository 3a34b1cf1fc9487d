import { addressValues, hasUnqualifiedDomain } from '../../../packages/esmtp/src/message/header-addresses.ts';
import { parseMailbox, readForwardPath, readReversePath } from '../../../packages/esmtp/src/protocol/address.ts';
import type { Characters } from '../../../packages/esmtp/src/protocol/characters.ts';
import { toleranceOf } from '../../../packages/esmtp/src/protocol/tolerance.ts';
import { decodeXtext, encodeXtext } from '../../../packages/esmtp/src/protocol/xtext.ts';
import { holds, same, type Target } from '../target.ts';

/** Paths, as MAIL and RCPT have them. */
export const addresses: Target = {
  name: 'addresses',
  seeds: [
    '<>',
    '<ann@example.com>',
    '<"a b\\"c"@example.com>',
    '<@a.example,@b.example:ann@c.example>',
    '<ann@[192.0.2.1]>',
    '<ann@[IPv6:2001:db8::192.0.2.1]>',
    '<Postmaster>',
    'ann@example.com SIZE=1',
    '<.a..b.@example.com>',
    '<\xc3\xa4nn@ex\xc3\xa4mple.com>',
    '<under_score@a_b.example>',
  ],
  tokens: [
    '@',
    '"',
    '\\"',
    '[IPv6:',
    ']',
    '@a:',
    ',@b',
    '..',
    '>',
    '<',
    'xn--',
    'a'.repeat(63),
    '\xc2\x85',
    '\xe2\x80\xa8',
  ],
  maxOctets: 400,
  parse: (input) => readForwardPath(input.toString(), LENIENT),
  run(input) {
    const counted = new CountedText(input.toString());
    const read = readForwardPath(counted, LENIENT);
    // Within an address literal, a domain or a quoted string each character has its scanner, and
    // its check.
    holds(counted.looks <= 12 * counted.length + 50, 'reading a path is linear');
    const reverse = readReversePath(input.toString());
    if (typeof read === 'string') return `${read} ${typeof reverse === 'string' ? reverse : 'null'}`;
    const written = String(read.path);
    holds(read.end <= counted.length && read.end > 0, 'a path ends within its text');
    const parsed = parseMailbox(written);
    if (parsed !== undefined)
      same([parsed.localPart, parsed.domain], [read.path.localPart, read.path.domain], 'a mailbox round trip');
    else
      holds(
        read.path.domain === '' || /\.\.|^\.|\.@/.test(written) || Buffer.byteLength(written) > 250,
        'a path is a mailbox',
      );
    return `ok ${read.path.domain[0] === '[' ? 'literal' : 'domain'} ${written.startsWith('"')} ${parsed !== undefined}`;
  },
};

/** xtext (RFC 3461 §4). */
export const xtext: Target = {
  name: 'xtext',
  seeds: ['ann+2Bx@example.com', '+3D', 'QQ314159', '+C3+A4'],
  tokens: ['+', '+2', '+2B', '+00', '+FF', '+ff', '='],
  parse: (input) => decodeXtext(input.toString('latin1')),
  run(input) {
    const text = input.toString();
    same(decodeXtext(encodeXtext(text)), Buffer.from(text).toString('latin1'), 'xtext round trip');
    const decoded = decodeXtext(input.toString('latin1'));
    if (decoded === undefined) return 'none';
    holds(decoded.length <= input.length, 'a decoded text is no longer');
    return `text ${/[^ -~]/.test(decoded)}`;
  },
};

/** The header fields of senders and recipients, whose domains are to be qualified. */
export const headerAddresses: Target = {
  name: 'header addresses',
  maxOctets: 400,
  seeds: [
    'From: Ann <ann@example.com>\r\nTo: "b, (c" <bob@host>\r\n\r\n',
    'To: undisclosed-recipients:;\r\nCc: a@b (comment (nested) \\) x), c@[192.0.2.1]\r\n',
    'Resent-Reply-To: @a,@b:c@d\r\n folded@localhost\r\n',
    'Bcc: a@b\rSender: x@y\n',
  ],
  tokens: [
    'From:',
    'to :',
    'resent-',
    '\r\n ',
    '\r\n',
    '(',
    ')',
    '[',
    ']',
    '@',
    '<',
    '>',
    '"',
    '\\',
    ',',
    ';',
    'localhost',
  ],
  parse: (input) => hasUnqualifiedDomain(input, addressValues(input)),
  run(input) {
    const counted = new CountedOctets(input);
    const found = hasUnqualifiedDomain(counted.octets, addressValues(input));
    holds(counted.looks <= 60 * input.length + 200, 'reading the addresses of a header is linear');
    return String(found);
  },
};

const LENIENT = toleranceOf('lmtp', true);

/** A text that counts how many of its characters are looked at. */
class CountedText implements Characters {
  looks = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get length(): number {
    return this.#text.length;
  }

  charCodeAt(at: number): number {
    this.looks++;
    return this.#text.charCodeAt(at);
  }

  slice(from: number, to?: number): string {
    const part = this.#text.slice(from, to);
    this.looks += part.length;
    return part;
  }
}

/** Octets that count how many of them are looked at. */
class CountedOctets {
  looks = 0;
  readonly octets: ArrayLike<number>;

  constructor(octets: Uint8Array) {
    this.octets = new Proxy(octets, {
      get: (target, key) => {
        if (key === 'length') return target.length;
        this.looks++;
        return target[Number(key)];
      },
    });
  }
}
