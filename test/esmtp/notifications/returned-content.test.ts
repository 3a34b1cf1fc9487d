import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReturnedContent } from '../../../packages/esmtp/src/notifications/returned-content.ts';

function kept(pieces: readonly string[], most: number, wantsAll: boolean) {
  const content = new ReturnedContent(most, wantsAll);
  for (const piece of pieces) {
    const octets = Buffer.from(piece, 'latin1');
    content.write(octets);
    // The caller may overwrite the chunk.
    octets.fill(0x78);
  }
  return { header: content.header.toString('latin1'), all: content.message?.toString('latin1') };
}

describe('the returned content of a message', () => {
  it.each([
    ['the header only', ['a: b\r\nc: d\r\n\r\nbody\r\n'], 100, false, 'a: b\r\nc: d\r\n', undefined],
    ['all, if that is wanted', ['a: b\r\n\r\n', 'body\r\n'], 100, true, 'a: b\r\n', 'a: b\r\n\r\nbody\r\n'],
    ['all, to the last octet', ['a: b\r\n\r\n', 'bo'], 10, true, 'a: b\r\n', 'a: b\r\n\r\nbo'],
    ['the header only of what is too large', ['a: b\r\n\r\n', 'bod'], 10, true, 'a: b\r\n', undefined],
    ['the lines of a long header that fit', ['a: b\r\nc: d\r\n'], 10, true, 'a: b\r\n', undefined],
    ['nothing of a line that is too long', ['a: 4567890123'], 10, false, '', undefined],
    ['a header without a body', ['a: b\r\n'], 100, false, 'a: b\r\n', undefined],
    ['a body without a header', ['\r', '\nbody'], 100, true, '', '\r\nbody'],
    ['nothing of nothing', [], 100, false, '', undefined],
    ['all of nothing', [], 100, true, '', ''],
  ])('is %s', (_, pieces, most, wantsAll, header, all) => {
    expect(kept(pieces, most, wantsAll)).toEqual({ header, all });
  });

  it('is the same, however the message is split into chunks', () => {
    const message = fc.array(fc.constantFrom('\r\n', '\r', '\n', 'a: b', 'c', ' '), { maxLength: 20 });
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 40 }), fc.boolean(), (pieces, most, wantsAll) => {
        const whole = pieces.join('');
        expect(kept(whole.split(''), most, wantsAll)).toEqual(kept([whole], most, wantsAll));
        expect(kept(pieces, most, wantsAll)).toEqual(kept([whole], most, wantsAll));
      }),
    );
  });
});
