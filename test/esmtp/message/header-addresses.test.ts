import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasUnqualifiedAddress } from '../../../packages/esmtp/src/message/header-addresses.ts';
import { countedOctets } from '../../support/counted.ts';

const judged = (header: string): boolean => hasUnqualifiedAddress(Buffer.from(header.replaceAll('\n', '\r\n')));

/** How often an octet is read at most: for the six names, with and without their prefix, at a line's beginning, and for its value. */
const MAX_READS = 16;

describe('60: the addresses in a header', () => {
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
    expect(judged(header)).toBe(true);
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
  ])('%j has none', (header) => {
    expect(judged(header)).toBe(false);
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

  test.each(HOSTILE)('of %j over and over are read in steps that grow as the header does', (text) => {
    for (const prefix of ['To: ', 'To: "', 'To: (', 'To: @', 'X: ']) {
      const { input, reads } = countedOctets(Buffer.from(`${prefix}${text.repeat(4_000)}`));
      hasUnqualifiedAddress(input);
      expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
    }
  });

  test.each(HOSTILE)('of %j over and over are none', (text) => {
    expect(judged(`To: ${text.repeat(32_000)}\n`)).toBe(false);
  });

  test('of fields without a value are read in steps that grow as the header does', () => {
    for (const line of ['\n', '\r', '\r\n', 'to:\r\n', 'resent-\n', 'reply-to\n', `from${' '.repeat(500)}\r\n`]) {
      const { input, reads } = countedOctets(Buffer.from(line.repeat(2_000)));
      hasUnqualifiedAddress(input);
      expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
    }
  });

  test('may be anything, and are read in steps that grow as the header does', () => {
    const words = 'To: resent- a @ @[ < > " ( ) \\ , : ; [ ] \xff'.split(' ');
    const piece = fc.constantFrom(...words, ' ', '\r', '\r\n', '\r\n ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (pieces, times) => {
        const { input, reads } = countedOctets(Buffer.from(pieces.join('').repeat(times), 'latin1'));
        expect(typeof hasUnqualifiedAddress(input)).toBe('boolean');
        expect(reads()).toBeLessThanOrEqual(MAX_READS * input.length);
      }),
    );
  });
});
