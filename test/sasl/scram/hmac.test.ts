import { createHmac } from 'node:crypto';
import { SCRAM_HASHES, type ScramHash } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HmacKey, withRoom } from '../../../packages/sasl/src/scram/hmac.ts';

describe('HmacKey', () => {
  it.each(Object.keys(SCRAM_HASHES) as ScramHash[])('computes the HMAC of node:crypto with %s', (hash) => {
    const keys = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(keys, fc.string({ unit: 'binary' }), (bytes, text) => {
        const expected = createHmac(hash, bytes).update(text).digest();
        const key = new HmacKey(hash, bytes);
        expect(key.digest(withRoom(hash, text))).toEqual(expected);
        expect(key.base64(withRoom(hash, text))).toBe(expected.toString('base64'));
      }),
    );
  });
});
