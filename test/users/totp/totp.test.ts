import { generateTotp, otpauthUrl, SecretError, type TotpRecord, totpCode } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase32, encodeBase32 } from '../../../packages/users/src/totp/base32.ts';
import { codeOfStep, parseTotp } from '../../../packages/users/src/totp/totp.ts';

/** The secrets of the reference code of RFC 6238, Appendix A. */
const SHA1 = recordOf('12345678901234567890', { digits: 8 });
const SHA256 = recordOf('12345678901234567890123456789012', { algorithm: 'sha256', digits: 8 });
const SHA512 = recordOf('1234567890123456789012345678901234567890123456789012345678901234', {
  algorithm: 'sha512',
  digits: 8,
});

function recordOf(secret: string, parameters: Partial<TotpRecord> = {}): TotpRecord {
  return { secret: encodeBase32(Buffer.from(secret)), ...parameters };
}

describe('totpCode: the vectors of RFC 6238, Appendix B', () => {
  it.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('at %i seconds', (seconds, sha1, sha256, sha512) => {
    expect([SHA1, SHA256, SHA512].map((record) => totpCode(record, seconds * 1000))).toEqual([sha1, sha256, sha512]);
  });
});

describe('the code of a step', () => {
  it('is the HOTP of RFC 4226, Appendix D', () => {
    const totp = parseTotp(recordOf('12345678901234567890'));
    const codes = Array.from({ length: 10 }, (_, step) => codeOfStep(totp, step));
    expect(codes).toEqual([
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ]);
  });

  it('keeps its leading zeros', () => {
    expect(totpCode({ ...SHA1, digits: 6 }, 1111111109_000)).toBe('081804');
    expect(totpCode({ ...SHA1, digits: 8 }, 1111111109_000)).toBe('07081804');
  });

  it('follows the period', () => {
    expect(totpCode({ ...SHA1, period: 60 }, 119_000)).toBe(totpCode(SHA1, 59_000));
  });
});

describe('a TOTP record', () => {
  it.each(['JBSWY3DPEHPK3PXP', 'jbsw y3dp ehpk 3pxp', 'JBSW-Y3DP-EHPK-3PXP', 'JBSWY3DPEHPK3PXP======'])(
    'may have a secret of 80 bits as users type it: %s',
    (secret) => {
      expect(totpCode({ secret }, 0)).toBe('282760');
    },
  );

  it.each<[problem: string, record: TotpRecord]>([
    ['the secret is not in base32', { secret: 'JBSWY3DPEHPK3PX1' }],
    ['the secret is not in base32', { secret: '' }],
    ['the secret has 9 octets, expected at least 10', { secret: 'JBSWY3DPEHPK3PX' }],
    ['expected the algorithm sha1, sha256 or sha512', { ...SHA1, algorithm: 'toString' as 'sha1' }],
    ['expected 6 to 8 digits', { ...SHA1, digits: 5 }],
    ['expected 6 to 8 digits', { ...SHA1, digits: 6.5 }],
    ['expected a period of 1 to 3600 seconds', { ...SHA1, period: 0 }],
  ])('is malformed: %s', (problem, record) => {
    expect(() => totpCode(record, 0)).toThrow(
      new SecretError('malformed-secret', `the TOTP record is malformed: ${problem}`),
    );
  });
});

describe('generateTotp', () => {
  it.each([
    ['sha1', 20],
    ['sha256', 32],
    ['sha512', 64],
  ] as const)('makes a secret of the length of %s', (algorithm, octets) => {
    const record = generateTotp({ algorithm });
    expect(record).toMatchObject({ algorithm, digits: 6, period: 30 });
    expect(parseTotp(record).key).toHaveLength(octets);
    expect(generateTotp({ algorithm }).secret).not.toBe(record.secret);
  });

  it('refuses parameters that no code can have', () => {
    expect(() => generateTotp({ digits: 9 })).toThrow('expected 6 to 8 digits');
    expect(() => generateTotp({ algorithm: 'md5' as 'sha1' })).toThrow('expected the algorithm');
  });
});

describe('otpauthUrl', () => {
  it('has the names, the secret and the parameters', () => {
    const url = otpauthUrl({ secret: 'jbsw y3dp ehpk 3pxp' }, { issuer: 'Example Mail', account: 'joe@example.com' });
    expect(url).toBe(
      'otpauth://totp/Example%20Mail:joe%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example%20Mail' +
        '&algorithm=SHA1&digits=6&period=30',
    );
  });

  it('has one colon in its label', () => {
    const url = new URL(otpauthUrl(SHA256, { issuer: 'a:b', account: 'c:d' }));
    expect(url.pathname).toBe('/a%20b:c%20d');
    expect(url.searchParams.get('algorithm')).toBe('SHA256');
    expect(url.searchParams.get('digits')).toBe('8');
  });
});

describe('base32', () => {
  it.each([
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('of %s is the vector of RFC 4648 §10 without padding', (text, encoded) => {
    expect(encodeBase32(Buffer.from(text))).toBe(encoded);
    expect(decodeBase32(encoded)?.toString()).toBe(text);
  });

  it('decodes to the octets that were encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (octets) => {
        expect(decodeBase32(encodeBase32(octets))).toEqual(Buffer.from(octets));
      }),
    );
  });
});
