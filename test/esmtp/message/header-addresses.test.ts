import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressValues, hasUnqualifiedDomain } from '../../../packages/esmtp/src/message/header-addresses.ts';
import { countedOctets } from '../../support/counted.ts';

function isUnqualified(header: string): boolean {
  const octets = Buffer.from(header.replaceAll('\n', '\r\n'));
  return hasUnqualifiedDomain(octets, addressValues(octets));
}

/** The most times that an octet of a value is read. */
const MAX_READS = 8;

describe('the addresses in a header', () => {
  test.each([
    'From: ann@sales\n',
    'to: Ann <ann@sales>, bob@example.com\n',
    'Cc: bob@example.com,\n ann@sales\n',
    'Bcc: bob@example.com,\n\tann @ sales\n',
    'Subject: hi\nReply-To : "Ann" <"a n n"@sales>\n',
    'Resent-Sender: (a comment (in a comment)) ann@sales (more)\n',
    'To: everybody: bob@example.com, ann@sales;\n',
    'To: <@relay.example.com,@sales:ann@example.com>\n',
    'To: ann@sales',
  ])('%j has a domain that is not fully qualified', (header) => {
    expect(isUnqualified(header)).toBe(true);
  });

  test.each([
    '',
    'From: ann@example.com\nTo: bob@localhost, eve@[192.0.2.1], <zoe@[IPv6:2001:db8::1]>\n',
    'To: ann\n',
    'To: undisclosed-recipients:;\nCc:\nBcc: \n',
    'To: "ann@sales" <ann@example.com>\n',
    'To: ann@work <ann@example.com>, bob@work <bob@example.com>\n',
    'To: "ann\\"@sales" <ann@example.com> (or ann@sales \\) )\n',
    'To: ann@müller.example\n',
    'Subject: ann@sales\n To: ann@sales\nX-To: ann@sales\nMessage-ID: <1@sales>\n',
    'To: @\nFrom: <@>\n',
    'To: "ann@sales\nCc: (ann@sales\n',
  ])('%j has no unqualified domain', (header) => {
    expect(isUnqualified(header)).toBe(false);
  });

  // Each of these made an earlier scanner, or a regular expression, read an octet again and again.
  const HOSTILE = [
    '"\\',
    '(\\',
    '(',
    '"',
    '@',
    '@[',
    '@[\r\n ',
    '@ ',
    '<@',
    '<',
    ',',
    'x@a.b,',
    '@a.b ',
    'to:\r\n ',
    '\\',
  ];

  test.each(HOSTILE)('of %j repeated take time in proportion to the header', (text) => {
    for (const prefix of ['To: ', 'To: "', 'To: (', 'To: @', 'X: ']) {
      const header = Buffer.from(`${prefix}${text.repeat(4_000)}`);
      const { input, reads } = countedOctets(header);
      hasUnqualifiedDomain(input, addressValues(header));
      expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
    }
  });

  test.each(HOSTILE)('of %j repeated are not unqualified', (text) => {
    expect(isUnqualified(`To: ${text.repeat(32_000)}\n`)).toBe(false);
  });

  test('of fields without a value take time in proportion to the header', () => {
    const header = Buffer.from('to:\r\n'.repeat(2_000));
    const { input, reads } = countedOctets(header);
    expect(hasUnqualifiedDomain(input, addressValues(header))).toBe(false);
    expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
  });

  test('take time in proportion to the header, whatever it holds', () => {
    const words = 'To: resent- a @ @[ < > " ( ) \\ , : ; [ ] \xff'.split(' ');
    const piece = fc.constantFrom(...words, ' ', '\r', '\r\n', '\r\n ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (pieces, times) => {
        const header = Buffer.from(pieces.join('').repeat(times), 'latin1');
        const { input, reads } = countedOctets(header);
        expect(typeof hasUnqualifiedDomain(input, addressValues(header))).toBe('boolean');
        expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
      }),
    );
  });
});
