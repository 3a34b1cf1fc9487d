import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, skips } from '../program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { judgeWithHtpasswd } from './htpasswd.ts';
import { commandLine, type Judgement, outputOf, type PasswordTool, packageVersion } from './password-tool.ts';

/** Debian's `mkpasswd`: all methods of libxcrypt. */
export const mkpasswd: PasswordTool = {
  name: 'mkpasswd',
  skips: () => skips('mkpasswd', 'whois'),
  forms: [
    { scheme: 'yescrypt', options: [] },
    { scheme: 'yescrypt', options: ['-R', '1'] },
    { scheme: 'gost-yescrypt', options: ['-R', '1'] },
    { scheme: 'scrypt', options: [], costly: true },
    { scheme: 'scrypt', options: ['-R', '6'] },
    { scheme: 'bcrypt', options: [], bcrypt: true },
    { scheme: 'bcrypt', options: ['-R', '4'], bcrypt: true },
    { scheme: 'bcrypt-a', options: [], bcrypt: true },
    { scheme: 'sha512crypt', options: [] },
    { scheme: 'sha512crypt', options: ['-R', '10'] },
    { scheme: 'sha256crypt', options: [] },
    { scheme: 'sha256crypt', options: ['-R', '7000'] },
    { scheme: 'sunmd5', options: [], costly: true },
    { scheme: 'md5crypt', options: [] },
    { scheme: 'bsdicrypt', options: [] },
    { scheme: 'descrypt', options: [], des: true },
    { scheme: 'nt', options: [] },
  ],
  command: ({ scheme, options }) => commandLine(['mkpasswd', '-m', scheme, ...options, 'PASSWORD']),
  open: async () => ({
    version: packageVersion('whois'),
    verifier: `crypt(3) of ${packageVersion('libcrypt1')}, called by Perl`,
    write: ({ scheme, options }, password) => outputOf('mkpasswd', ['-m', scheme, ...options, '--', password]),
    judge: (_form, text, password) => judgeWithCrypt(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};

/** `openssl passwd`. */
export const openssl: PasswordTool = {
  name: 'openssl',
  skips: () => skips('openssl', 'openssl') || skips('htpasswd', 'apache2-utils'),
  forms: ['-1', '-apr1', '-5', '-6'].map((option) => ({ scheme: option, options: [option] })),
  command: ({ options }) => commandLine(['openssl', 'passwd', ...options, 'PASSWORD']),
  open: async () => ({
    version: `${await outputOf('openssl', ['version'])} (${packageVersion('openssl')})`,
    verifier: `htpasswd -v of ${packageVersion('apache2-utils')}`,
    write: ({ options }, password) => outputOf('openssl', ['passwd', ...options, '-stdin'], `${password}\n`),
    judge: (_form, text, password) => judgeWithHtpasswd(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};

/** `useradd`, `usermod -L` and `chpasswd`, in a folder of their own. */
export const shadow: PasswordTool = {
  name: 'shadow',
  skips: () => skips('useradd', 'passwd') || skips('mkpasswd', 'whois'),
  forms: [
    { scheme: 'new user', options: [] },
    { scheme: 'locked user', options: ['-L'] },
    { scheme: 'unlocked user', options: ['-L', '-U'] },
  ],
  command: ({ options }) =>
    [
      `useradd --prefix DIR ${options.length > 0 ? '-p "$(mkpasswd -m yescrypt PASSWORD)" ' : ''}joe`,
      ...options.map((option) => `usermod --prefix DIR ${option} joe`),
    ].join('; '),
  open: async () => ({
    version: packageVersion('passwd'),
    verifier: `crypt(3) of ${packageVersion('libcrypt1')}, called by Perl`,
    async write({ options }, password) {
      using folder = temporaryFolder('shadow');
      const prefix = ['--prefix', folder.path];
      mkdirSync(join(folder.path, 'etc'));
      for (const file of ['passwd', 'shadow', 'group', 'gshadow']) writeFileSync(join(folder.path, 'etc', file), '');
      const hash = options.length > 0 ? ['-p', await outputOf('mkpasswd', ['-m', 'yescrypt', '--', password])] : [];
      await outputOf('useradd', [...prefix, ...hash, 'joe']);
      for (const option of options) await outputOf('usermod', [...prefix, option, 'joe']);
      return /^joe:([^:]*)/.exec(readFileSync(join(folder.path, 'etc/shadow'), 'utf8'))?.[1] ?? '';
    },
    judge: (_form, text, password) => judgeWithCrypt(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};

/** Resolves to true if crypt(3) makes the stored form of the password again. */
async function judgeWithCrypt(text: string, password: string): Promise<Judgement> {
  const { code, output } = await run('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', '--', password, text]);
  if (code !== 0) return { accepted: false, error: output.trim() };
  if (output === text) return { accepted: true };
  // libxcrypt returns `*0` or `*1` for a setting that it does not know.
  return output.startsWith('*') || output === ''
    ? { accepted: false, error: `crypt(3) returns ${output}` }
    : { accepted: false };
}
