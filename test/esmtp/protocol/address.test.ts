import { Mailbox, parseMailbox } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressTolerance,
  type ReadPath,
  readForwardPath,
  readReversePath,
} from '../../../packages/esmtp/src/protocol/address.ts';
import { isAddressLiteral, isDomain, isHostName } from '../../../packages/esmtp/src/protocol/domain.ts';
import { STRICT } from '../../../packages/esmtp/src/protocol/tolerance.ts';
import { countedCharacters } from '../../support/counted.ts';

const LENIENT: AddressTolerance = { bareUsers: true, missingBrackets: true, looseDots: true };
const label = 'd'.repeat(63);
const longest = `${label}.${label}.${label}.${'e'.repeat(60)}`;

describe('a reverse-path', () => {
  test.each<[string, string, string]>([
    ['<ann@example.com>', 'ann', 'example.com'],
    ['<Ann.B.C@Example.COM>', 'Ann.B.C', 'Example.COM'],
    ["<!#$%&'*+-/=?^_`{|}~@example.com>", "!#$%&'*+-/=?^_`{|}~", 'example.com'],
    ['<a@b>', 'a', 'b'],
    ['<a@b.c>', 'a', 'b.c'],
    ['<a@1.2.3.4>', 'a', '1.2.3.4'],
    ['<a@xn--bcher-kva.example>', 'a', 'xn--bcher-kva.example'],
    ['<a@a-b--c.d>', 'a', 'a-b--c.d'],
    ['<"ann"@example.com>', 'ann', 'example.com'],
    ['<"ann b"@example.com>', 'ann b', 'example.com'],
    ['<"a\\"b\\\\c\\d"@example.com>', 'a"b\\cd', 'example.com'],
    ['<"<@>:,;"@example.com>', '<@>:,;', 'example.com'],
    ['<"a@b"@example.com>', 'a@b', 'example.com'],
    ['<""@example.com>', '', 'example.com'],
    ['<a@[192.0.2.1]>', 'a', '[192.0.2.1]'],
    ['<a@[IPv6:2001:db8::1]>', 'a', '[IPv6:2001:db8::1]'],
    ['<a@[ipv6:::ffff:192.0.2.1]>', 'a', '[ipv6:::ffff:192.0.2.1]'],
    ['<@x.example:ann@example.com>', 'ann', 'example.com'],
    ['<@x.example,@y.example:ann@example.com>', 'ann', 'example.com'],
    ['<änn@exämple.com>', 'änn', 'exämple.com'],
    ['<"ä n"@例え.example>', 'ä n', '例え.example'],
    ['<😀@example.com>', '😀', 'example.com'],
    ['<a@exam_ple.com>', 'a', 'exam_ple.com'],
    ['<a@_dmarc.web_1_.example.com>', 'a', '_dmarc.web_1_.example.com'],
    ...[64, 65, 96, 242].map((length) => {
      const localPart = 'l'.repeat(length);
      return [`<${localPart}@example.com>`, localPart, 'example.com'] as [string, string, string];
    }),
    [`<${'ä'.repeat(121)}@example.com>`, 'ä'.repeat(121), 'example.com'],
    [`<a@${longest}>`, 'a', longest],
  ])('%s is read', (text, localPart, domain) => {
    const read = { path: new Mailbox(localPart, domain), end: text.length };
    expect(readReversePath(`${text} SIZE=1`)).toEqual(read);
    expect(readForwardPath(`${text} SIZE=1`, LENIENT)).toEqual(read);
  });

  test('<> is the null path', () => {
    expect(readReversePath('<> SIZE=1')).toEqual({ path: null, end: 2 });
  });

  test.each<[string, string]>([
    ['', 'no-brackets'],
    ['>', 'no-brackets'],
    ['ann@example.com', 'no-brackets'],
    ['ann@example.com>', 'no-brackets'],
    ['<', 'no-closing-bracket'],
    ['<ann', 'no-closing-bracket'],
    ['<ann@example.com', 'no-closing-bracket'],
    ['<ann@example.com SIZE=1', 'no-closing-bracket'],
    ['<ann>', 'no-domain'],
    ['<Postmaster>', 'no-domain'],
    ['<ann@>', 'empty-domain'],
    ['<ann@@example.com>', 'empty-domain'],
    ['<@example.com>', 'empty-local-part'],
    ['<@x.example:@example.com>', 'empty-local-part'],
    ['<@x.example:>', 'empty-path'],
    ['<ann@exa mple.com>', 'domain-blank'],
    ['<ann b@example.com>', 'local-part-blank'],
    ['< ann@example.com>', 'local-part-blank'],
    ['<.ann@example.com>', 'local-part-dots'],
    ['<ann.@example.com>', 'local-part-dots'],
    ['<a..b@example.com>', 'local-part-dots'],
    ['<ann@.example.com>', 'empty-label'],
    ['<ann@example.com.>', 'empty-label'],
    ['<ann@example..com>', 'empty-label'],
    ['<ann@-example.com>', 'label-hyphen'],
    ['<ann@example-.com>', 'label-hyphen'],
    ['<ann@exam!ple.com>', 'domain-character'],
    ['<ann@b@example.com>', 'domain-character'],
    ['<ann@[192.0.2.256]>', 'address-literal'],
    ['<ann@[192.0.2]>', 'address-literal'],
    ['<ann@[192.0.2.1.]>', 'address-literal'],
    ['<ann@[IPv6:2001:db8::1::2]>', 'address-literal'],
    ['<ann@[IPv6:1:2:3:4:5:6:7]>', 'address-literal'],
    ['<ann@[IPv6:1:2:3:4:5:6:7:8:9]>', 'address-literal'],
    ['<ann@[IPv6:12345::]>', 'address-literal'],
    ['<ann@[IPv6:1:2:3:4:5:6:7:192.0.2.1]>', 'address-literal'],
    ['<ann@[2001:db8::1]>', 'address-literal'],
    ['<ann@[x-tag:content]>', 'address-literal'],
    ['<ann@[]>', 'address-literal'],
    ['<ann@[192.0.2.1>', 'address-literal'],
    ['<"ann@example.com>', 'no-closing-quote'],
    ['<"a\\"@example.com>', 'no-closing-quote'],
    ['<"ann"b@example.com>', 'after-quoted'],
    ['<"a"b"@example.com>', 'after-quoted'],
    ['<"a\nb"@example.com>', 'quoted-character'],
    ['<"a\\ä"@example.com>', 'quoted-character'],
    ['<a\0b@example.com>', 'local-part-character'],
    ['<a\x7fb@example.com>', 'local-part-character'],
    ['<a(comment)@example.com>', 'local-part-character'],
    ['<<ann@example.com>>', 'local-part-character'],
    ['<@x.example ann@example.com>', 'source-route'],
    ['<@:ann@example.com>', 'source-route'],
    [`<${'l'.repeat(243)}@example.com>`, 'long-path'],
    [`<${'ä'.repeat(122)}@example.com>`, 'long-path'],
    [`<${'l'.repeat(64)}@${longest}>`, 'long-path'],
    [`<a@${label}d.example>`, 'long-label'],
    [`<a@${`${label}.`.repeat(4)}e>`, 'long-domain'],
  ])('%j is invalid: %s', (text, fault) => {
    expect(readReversePath(text)).toBe(fault);
  });

  test.each<[string, string]>([
    ['a C1 control', '\u0085'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['a bidi override', '\u202e'],
    ['a bidi isolate', '\u2066'],
    ['a mark of direction', '\u200f'],
    ['a soft hyphen', '\u00ad'],
    ['a zero width joiner', '\u200d'],
    ['a byte order mark', '\ufeff'],
    ['a tag', '\u{e0041}'],
  ])('holds no %s', (_, character) => {
    for (const text of [`<a${character}@example.com>`, `<"a${character}"@example.com>`, `<a@b${character}.com>`]) {
      expect(readReversePath(text)).toBe('unsafe-character');
      expect(readForwardPath(text, LENIENT)).toBe('unsafe-character');
    }
    expect(parseMailbox(`a${character}@example.com`)).toBeUndefined();
    expect(readReversePath(`<@x${character}.example:a@example.com>`)).toBe('unsafe-character');
  });
});

describe('with tolerance', () => {
  test.each<[string, string, string, string]>([
    ['joe@example.com', 'joe', 'example.com', 'joe@example.com'],
    ['joe@example.com SIZE=1', 'joe', 'example.com', 'joe@example.com'],
    ['"joe doe"@example.com SIZE=1', 'joe doe', 'example.com', '"joe doe"@example.com'],
    ['<a..b@example.jp>', 'a..b', 'example.jp', 'a..b@example.jp'],
    ['<a.b.@example.jp>', 'a.b.', 'example.jp', 'a.b.@example.jp'],
    ['<.a@example.jp>', '.a', 'example.jp', '.a@example.jp'],
    ['<"a..b"@example.jp>', 'a..b', 'example.jp', '"a..b"@example.jp'],
    ['<joe>', 'joe', '', 'joe'],
    ['<Postmaster>', 'Postmaster', '', 'Postmaster'],
    ['joe', 'joe', '', 'joe'],
  ])('%s is read, and written as %4$s', (text, localPart, domain, written) => {
    const { path } = readForwardPath(text, LENIENT) as ReadPath<Mailbox>;
    expect([path.localPart, path.domain]).toEqual([localPart, domain]);
    expect(path.toString()).toBe(written);
  });

  test.each<[string, string]>([
    ['', 'empty-path'],
    ['<>', 'empty-path'],
    ['<"">', 'no-domain'],
    ['<joe@example.com', 'no-closing-bracket'],
    ['joe@example.com>', 'domain-character'],
    ['joe@exam!ple.com', 'domain-character'],
    ['joe @example.com', 'no-domain'],
    ['<joe doe>', 'local-part-blank'],
    ['<a@b..example>', 'empty-label'],
    [`${'l'.repeat(257)}`, 'long-path'],
  ])('%j is invalid with tolerance too: %s', (text, fault) => {
    expect(readForwardPath(text, { ...LENIENT, bareUsers: text !== 'joe @example.com' })).toBe(fault);
  });

  test('a sender without a domain is invalid', () => {
    expect(readReversePath('<joe>', LENIENT)).toBe('no-domain');
  });
});

describe('a forward-path', () => {
  test('is read like a reverse-path', () => {
    expect(readForwardPath('<bob@example.com>')).toEqual({ path: new Mailbox('bob', 'example.com'), end: 17 });
    expect(readForwardPath('<bob>')).toBe('no-domain');
  });

  test('<> is invalid', () => {
    expect(readForwardPath('<>')).toBe('empty-path');
  });

  test.each(['<Postmaster>', '<postmaster>', '<POSTMASTER>'])('%s is one, without a domain', (text) => {
    expect(readForwardPath(text)).toEqual({ path: new Mailbox(text.slice(1, -1), ''), end: text.length });
  });
});

test('reading a path takes steps linear in its length', () => {
  const n = 20_000;
  for (const text of [
    `<${'a'.repeat(n)}`,
    `<${'a.'.repeat(n)}`,
    `<${'a.'.repeat(n)}@`,
    `<"${'\\a'.repeat(n)}`,
    `<"${'a'.repeat(n)}"`,
    `<a@${'a'.repeat(n)}`,
    `<a@${'a-'.repeat(n)}`,
    `<a@${'-'.repeat(n)}`,
    `<a@${'a.'.repeat(n)}`,
    `<a@${'a '.repeat(n)}`,
    `<a@[${'a'.repeat(n)}`,
    `<@${'a,@'.repeat(n)}:a@b>`,
    `<@${'a.'.repeat(n)}`,
    `<${'ä'.repeat(n)}`,
    `<${'<'.repeat(n)}`,
    `<a@b>${'a'.repeat(n)}`,
  ]) {
    expectFewReads(text);
  }
});

test('reading any path takes steps linear in its length', () => {
  const piece = fc.constantFrom(...'a . - _ @ < > [ ] " \\ , : ä'.split(' '), ' ', '[192.0.2.1]', '@a,');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 50 }), (pieces, times) => {
      expectFewReads(`<${pieces.join('').repeat(times)}>`);
    }),
  );
});

/** Checks that each character is read and copied a bounded number of times. */
function expectFewReads(text: string): void {
  for (const tolerance of [STRICT, LENIENT]) {
    const { input, reads } = countedCharacters(text);
    readForwardPath(input, tolerance);
    expect(reads()).toBeLessThanOrEqual(6 * text.length + 16);
  }
}

describe('a mailbox', () => {
  test.each([
    ['ann', 'ann@example.com'],
    ['ann.b', 'ann.b@example.com'],
    ['ann b', '"ann b"@example.com'],
    ['a"b\\c', '"a\\"b\\\\c"@example.com'],
    ['', '""@example.com'],
    ['.a', '".a"@example.com'],
    ['a..b', '"a..b"@example.com'],
    ['änn', 'änn@example.com'],
  ])('with the local part %j is written %s, and read again', (localPart, written) => {
    const mailbox = new Mailbox(localPart, 'example.com');
    expect(mailbox.toString()).toBe(written);
    expect(parseMailbox(written)).toEqual(mailbox);
  });

  test('without a domain is written without @', () => {
    expect(new Mailbox('Postmaster', '').toString()).toBe('Postmaster');
  });

  test('is parsed only if it is the whole text', () => {
    for (const text of [
      '',
      'ann',
      'ann@example.com>',
      '<ann@example.com>',
      'ann@example.com x',
      '@a:ann@example.com',
    ]) {
      expect(parseMailbox(text)).toBeUndefined();
    }
  });

  test('says whether it is ASCII', () => {
    expect(new Mailbox('ann', 'example.com').isAscii).toBe(true);
    expect(new Mailbox('änn', 'example.com').isAscii).toBe(false);
    expect(new Mailbox('ann', 'exämple.com').isAscii).toBe(false);
  });
});

test.each(['example.com', 'a', 'a-b.c', '1.2.3.4', 'exämple.com'])('%s is a domain', (text) => {
  expect(isDomain(text)).toBe(true);
});

test.each(['', '.', 'a.', '-a', 'a-', 'a b', 'a_b', 'a\u202e', '[192.0.2.1]', 'a\nb', `${label}d`])(
  '%j is no domain',
  (text) => {
    expect(isDomain(text)).toBe(false);
  },
);

test.each(['example.com', 'web_1.example.com', '_a', 'a_'])('%s is the name of a host', (text) => {
  expect(isHostName(text)).toBe(true);
});

test.each(['', 'a_.', '-a_b', 'a b_c'])('%j is no name of a host', (text) => {
  expect(isHostName(text)).toBe(false);
});

test.each([
  '[192.0.2.1]',
  '[0.0.0.0]',
  '[255.255.255.255]',
  '[IPv6:::]',
  '[IPv6:::1]',
  '[IPv6:1:2:3:4:5:6:7:8]',
  '[IPv6:1::192.0.2.1]',
])('%s is an address literal', (text) => {
  expect(isAddressLiteral(text)).toBe(true);
});

test.each(['192.0.2.1', '[192.0.2.1', '[IPv6:]', '[IPv6::1]x', '[IPv6:g::]', '[IPv6:192.0.2.1]', '[::1]'])(
  '%s is invalid',
  (text) => {
    expect(isAddressLiteral(text)).toBe(false);
  },
);

describe('parseMailbox', () => {
  const label = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,10}[A-Za-z0-9])?$/);
  const domain = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')),
    fc.ipV4().map((address) => `[${address}]`),
    fc.ipV6().map((address) => `[IPv6:${address}]`),
    fc.constantFrom('exämple.com', '例え.example'),
  );
  const dotString = fc.array(fc.stringMatching(/^[\w!#$%&'*+/=?^`{|}~-]{1,8}$/), { minLength: 1, maxLength: 4 });
  const localPart = fc.oneof(
    dotString.map((atoms) => atoms.join('.')),
    fc.string({ maxLength: 40, unit: 'grapheme-ascii' }),
    fc.string({ maxLength: 20, unit: fc.constantFrom(...Array.from('a."\\@<> ,:;äß例😀')) }),
  );
  const mailbox = fc.tuple(localPart, domain).map((parts) => new Mailbox(...parts));

  test('returns the mailbox that was written', () => {
    fc.assert(
      fc.property(mailbox, (written) => {
        expect(parseMailbox(String(written))).toEqual(written);
      }),
    );
  });

  test('returns the same mailbox for a text and for what it writes of that text', () => {
    const text = fc.oneof(
      mailbox.map(String),
      fc.string({ maxLength: 30, unit: fc.constantFrom(...Array.from('ab.-@"\\[]:1 ä<>')) }),
    );
    fc.assert(
      fc.property(text, (written) => {
        const read = parseMailbox(written);
        if (read !== undefined) expect(parseMailbox(String(read))).toEqual(read);
      }),
    );
  });
});
