import { createHash, createHmac } from 'node:crypto';
import { CramMd5Response, cramMd5Contexts, encodeUtf8 } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INITIAL_STATE, md5Compress, md5From } from '../../packages/sasl/src/cram-md5/md5.ts';

describe('MD5 from a state', () => {
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'd174ab98d277d9f5a5611c2c9f419d9f'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('RFC 1321 §A.5: %j', (message, digest) => {
    expect(md5From(INITIAL_STATE, 0, encodeUtf8(message)).toString('hex')).toBe(digest);
  });

  it('continues after a block as node:crypto does', () => {
    const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
    fc.assert(
      fc.property(octets(64, 64), octets(0, 200), (block, message) => {
        const expected = createHash('md5').update(block).update(message).digest('hex');
        expect(md5From(md5Compress(INITIAL_STATE, block), 64, message).toString('hex')).toBe(expected);
      }),
    );
  });
});

describe('the contexts of CRAM-MD5', () => {
  // doveadm pw -s CRAM-MD5, Dovecot 2.3.19.1
  it.each([
    ['tanstaaftanstaaf', 'd06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b'],
    ['na\u00efve', '6246b7b01b161da19aa68f998473e280606fd2b01ec1d9c7c9f29268d06ebed6'],
    ['a'.repeat(70), 'fdeeaf10e3e4185caed349495958df36351bef50c329275229e06e028803e01c'],
  ])('are those of Dovecot for %j', (password, contexts) => {
    expect(cramMd5Contexts(password).toString('hex')).toBe(contexts);
  });

  it('check the response of RFC 2195 §2', () => {
    const challenge = encodeUtf8('<1896.697170952@postoffice.reston.mci.net>');
    const response = new CramMd5Response('tim', challenge, 'b913a602c7eda7a495b4e6e7334d3890');
    expect(response.checkContexts(cramMd5Contexts('tanstaaftanstaaf'))).toBe(true);
    expect(response.checkContexts(cramMd5Contexts('tanstaaftanstaaF'))).toBe(false);
    expect(response.checkContexts(new Uint8Array(0))).toBe(false);
    expect(response.checkContexts(new Uint8Array(32))).toBe(false);
    expect(response.checkContexts(cramMd5Contexts('tanstaaftanstaaf').subarray(0, 16))).toBe(false);
  });

  it('accept what the password accepts', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }),
        fc.uint8Array({ maxLength: 150 }),
        (password, challenge) => {
          const digest = createHmac('md5', password).update(challenge).digest('hex');
          const response = new CramMd5Response('tim', challenge, digest);
          expect(response.checkPassword(password)).toBe(true);
          expect(response.checkContexts(cramMd5Contexts(password))).toBe(true);
          expect(response.checkContexts(cramMd5Contexts(`${password}!`))).toBe(false);
        },
      ),
    );
  });
});
