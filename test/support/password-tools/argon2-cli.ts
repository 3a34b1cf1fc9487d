import { randomBytes } from 'node:crypto';
import { skips } from '../program.ts';
import { commandLine, outputOf, type PasswordTool, packageVersion } from './password-tool.ts';
import { argon2Cffi, judgeWithLibargon2 } from './python.ts';

/** The reference implementation's command `argon2`. */
export const argon2Command: PasswordTool = {
  name: 'argon2',
  skips: () => skips('argon2', 'argon2') || argon2Cffi.skips(),
  forms: [
    ...['-i', '-d', '-id'].flatMap((type) => [
      { scheme: `argon2${type.slice(1)}, version 0x13`, options: [type, '-t', '2', '-k', '512', '-p', '1'] },
      {
        scheme: `argon2${type.slice(1)}, version 0x10`,
        options: [type, '-v', '10', '-t', '2', '-k', '512', '-p', '2'],
      },
    ]),
    { scheme: 'argon2id, 64 octets', options: ['-id', '-t', '1', '-m', '8', '-p', '4', '-l', '64'] },
  ],
  command: ({ options }) => `echo -n PASSWORD | ${commandLine(['argon2', 'SALT', ...options, '-e'])}`,
  open: async () => ({
    version: packageVersion('argon2'),
    verifier: `argon2.low_level.verify_secret of ${packageVersion('python3-argon2')}`,
    write: ({ options }, password) => outputOf('argon2', [randomBytes(8).toString('hex'), ...options, '-e'], password),
    judge: (_form, text, password) => judgeWithLibargon2(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};
