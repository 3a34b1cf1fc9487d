import { Mailbox, parseMailbox } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { isAddressLiteral, isDomain, readForwardPath, readReversePath } from '../../packages/esmtp/src/address.ts';

const L = 'l'.repeat(64);
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
    [`<${L}@example.com>`, L, 'example.com'],
    [`<a@${longest}>`, 'a', longest],
  ])('%s is read', (text, localPart, domain) => {
    expect(readReversePath(`${text} SIZE=1`)).toEqual({ path: new Mailbox(localPart, domain), rest: ' SIZE=1' });
  });

  test('<> is nobody', () => {
    expect(readReversePath('<> SIZE=1')).toEqual({ path: null, rest: ' SIZE=1' });
  });

  test.each([
    '',
    '<',
    '>',
    '<>>'.slice(1),
    'ann@example.com',
    '<ann@example.com',
    'ann@example.com>',
    '<ann>',
    '<ann@>',
    '<@example.com>',
    '<ann@@example.com>',
    '<ann@exa mple.com>',
    '<ann b@example.com>',
    '<.ann@example.com>',
    '<ann.@example.com>',
    '<a..b@example.com>',
    '<ann@.example.com>',
    '<ann@example.com.>',
    '<ann@example..com>',
    '<ann@-example.com>',
    '<ann@example-.com>',
    '<ann@exam_ple.com>',
    '<ann@[192.0.2.256]>',
    '<ann@[192.0.2]>',
    '<ann@[192.0.2.1.]>',
    '<ann@[IPv6:2001:db8::1::2]>',
    '<ann@[IPv6:1:2:3:4:5:6:7]>',
    '<ann@[IPv6:1:2:3:4:5:6:7:8:9]>',
    '<ann@[IPv6:12345::]>',
    '<ann@[IPv6:1:2:3:4:5:6:7:192.0.2.1]>',
    '<ann@[2001:db8::1]>',
    '<ann@[x-tag:content]>',
    '<ann@[]>',
    '<"ann@example.com>',
    '<"ann"b@example.com>',
    '<"a"b"@example.com>',
    '<"a\\"@example.com>',
    '<"a\nb"@example.com>',
    '<a\0b@example.com>',
    '<a\x7fb@example.com>',
    '<a(comment)@example.com>',
    '<@x.example ann@example.com>',
    '<@x.example:>',
    '<@:ann@example.com>',
    '<<ann@example.com>>',
    `<${L}l@example.com>`,
    `<${'ä'.repeat(33)}@example.com>`,
    `<a@${label}d.example>`,
    `<${L}@${longest}>`,
  ])('%j is none', (text) => {
    expect(readReversePath(text)).toBeUndefined();
  });

  test('<Postmaster> is none', () => {
    expect(readReversePath('<Postmaster>')).toBeUndefined();
  });
});

describe('a forward-path', () => {
  test('is read like a reverse-path', () => {
    expect(readForwardPath('<bob@example.com>')).toEqual({ path: new Mailbox('bob', 'example.com'), rest: '' });
    expect(readForwardPath('<bob>')).toBeUndefined();
  });

  test('<> is none', () => {
    expect(readForwardPath('<>')).toBeUndefined();
  });

  test.each(['<Postmaster>', '<postmaster>', '<POSTMASTER>'])('%s is one, without a domain', (text) => {
    expect(readForwardPath(text)?.path).toEqual(new Mailbox(text.slice(1, -1), ''));
  });
});

test('no text takes more time than its length is worth', () => {
  // Each would take minutes, if it took time with the square of its length.
  const n = 200_000;
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
    `<a@[${'a'.repeat(n)}`,
    `<@${'a,@'.repeat(n)}:a@b>`,
    `<@${'a.'.repeat(n)}`,
    `<${'ä'.repeat(n)}`,
  ]) {
    expect(readReversePath(text)).toBeUndefined();
  }
});

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

  test('knows whether it is ASCII', () => {
    expect(new Mailbox('ann', 'example.com').isAscii).toBe(true);
    expect(new Mailbox('änn', 'example.com').isAscii).toBe(false);
    expect(new Mailbox('ann', 'exämple.com').isAscii).toBe(false);
  });
});

test.each(['example.com', 'a', 'a-b.c', '1.2.3.4', 'exämple.com'])('%s is a domain', (text) => {
  expect(isDomain(text)).toBe(true);
});

test.each(['', '.', 'a.', '-a', 'a-', 'a b', 'a_b', '[192.0.2.1]', 'a\nb', `${label}d`])('%j is no domain', (text) => {
  expect(isDomain(text)).toBe(false);
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
  '%s is none',
  (text) => {
    expect(isAddressLiteral(text)).toBe(false);
  },
);
