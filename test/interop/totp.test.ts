import { randomBytes, randomInt } from 'node:crypto';
import { totpCode } from '@postern/users';
import { describe, expect, test } from 'vitest';
import { encodeBase32 } from '../../packages/users/src/totp/base32.ts';
import { run, skips } from '../support/program.ts';

describe('oathtool', () => {
  test.skipIf(skips('oathtool', 'oathtool'))('has the same codes', async () => {
    for (let round = 0; round < 30; round += 1) {
      const secret = encodeBase32(randomBytes(randomInt(10, 65)));
      const seconds = randomInt(2 ** 33);
      for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
        const digits = randomInt(6, 9);
        const period = randomInt(10, 121);
        const options = [`--totp=${algorithm}`, `--digits=${digits}`, `--time-step-size=${period}s`];
        const { output } = await run('oathtool', [...options, `--now=@${seconds}`, '--base32', secret]);
        expect(totpCode({ secret, algorithm, digits, period }, seconds * 1000)).toBe(output.trim());
      }
    }
  });
});
