import { decodeBase64, encodeBase64 } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';

describe('base64', () => {
  it('decodes all bytes that it encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(Uint8Array.from(decodeBase64(encodeBase64(bytes)) ?? [])).toEqual(bytes);
      }),
    );
  });

  it('encodes a view without the rest of its buffer', () => {
    expect(encodeBase64(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe('AgM=');
  });

  it.each([
    ['', ''],
    ['Zg==', 'f'],
    ['Zm8=', 'fo'],
    ['Zm9v', 'foo'],
    ['Zm9vYg==', 'foob'],
    ['Zm9vYmE=', 'fooba'],
    ['Zm9vYmFy', 'foobar'],
  ])('decodes the vector %j of RFC 4648 §10', (encoded, plain) => {
    expect(decodeBase64(encoded)).toEqual(Buffer.from(plain));
  });

  it.each([
    ['a single pad', '='],
    ['nothing but pads', '===='],
    ['a pad in front', '=AAA'],
    ['a pad inside', 'AAA=BBB'],
    ['missing padding', 'QQ'],
    ['missing padding after three', 'QUE'],
    ['too little padding', 'QQ='],
    ['too much padding', 'QUE=='],
    ['padding where none is due', 'QUJD='],
    ['one character too many', 'QUJDR'],
    ['unused bits after one byte', 'QR=='],
    ['unused bits after two bytes', 'QUF='],
    ['two texts in one', 'QQ==QQ=='],
    ['a space inside', 'QU JD'],
    ['a space in front', ' QUJD'],
    ['a line break behind', 'QUJD\r\n'],
    ['a tab', 'QUJD\t'],
    ['a NUL', 'QUJD\0'],
    ['the URL alphabet, -', 'QUJ-'],
    ['the URL alphabet, _', 'QUJ_'],
    ['a character above 0x7f', 'QUJ\xc4'],
    ['a character that is A but for its high byte', 'QUJ\u0141'],
    ['a cancellation', '*'],
  ])('refuses %s', (_what, encoded) => {
    expect(decodeBase64(encoded)).toBeUndefined();
  });

  it('decodes only the one strict form', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ABQRwxgz019+/= \n_-]{0,12}$/), (encoded) => {
        const bytes = decodeBase64(encoded);
        if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(encoded);
        expect(bytes !== undefined).toBe(
          /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/.test(encoded),
        );
      }),
      { numRuns: runs(2000) },
    );
  });
});
