import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasUnqualifiedAddress } from '../../packages/esmtp/src/header-addresses.ts';

const judged = (header: string): boolean => hasUnqualifiedAddress(Buffer.from(header.replaceAll('\n', '\r\n')));

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

  test('are judged in time that grows no faster than they do', () => {
    for (const text of ['"\\', '(\\', '(', '"', '@', '@[', '@ ', '<@', ',']) {
      expect(judged(`To: ${text.repeat(32_000)}\n`)).toBe(false);
    }
  });

  test('may be anything', () => {
    const piece = fc.constantFrom(
      'To:',
      'a',
      '@',
      '<',
      '>',
      '"',
      '(',
      ')',
      '\\',
      ',',
      ':',
      ';',
      ' ',
      '\r\n',
      '[',
      ']',
      '\xff',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(typeof hasUnqualifiedAddress(Buffer.from(pieces.join(''), 'latin1'))).toBe('boolean');
      }),
    );
  });
});
