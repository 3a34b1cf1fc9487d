import { run, skips } from '../program.ts';
import {
  commandLine,
  type Form,
  type Judgement,
  outputOf,
  type PasswordTool,
  packageVersion,
  USER,
} from './password-tool.ts';

/** Dovecot's `doveadm pw`. */
export const dovecot: PasswordTool = {
  name: 'doveadm',
  skips: () => skips('doveadm', 'dovecot-core'),
  forms: [
    ...['ARGON2I', 'ARGON2ID'].map((scheme) => ({ scheme, options: [], costly: true }) as const),
    ...['BLF-CRYPT', 'CRYPT'].map((scheme) => ({ scheme, options: [], bcrypt: true }) as const),
    { scheme: 'BLF-CRYPT', options: ['-r', '6'], bcrypt: true },
    { scheme: 'SHA256-CRYPT', options: [] },
    { scheme: 'SHA256-CRYPT', options: ['-r', '1234'] },
    { scheme: 'SHA512-CRYPT', options: [] },
    { scheme: 'SHA512-CRYPT', options: ['-r', '1000'] },
    { scheme: 'MD5-CRYPT', options: [] },
    { scheme: 'MD5', options: [] },
    { scheme: 'DES-CRYPT', options: [], des: true },
    { scheme: 'PBKDF2', options: [] },
    { scheme: 'PBKDF2', options: ['-r', '800'] },
    ...['SCRAM-SHA-1', 'SCRAM-SHA-256'].map((scheme) => ({ scheme, options: [] })),
    ...['SHA', 'SHA1', 'SHA256', 'SHA512', 'SSHA', 'SSHA256', 'SSHA512'].map((scheme) => ({ scheme, options: [] })),
    ...['SHA1.HEX', 'SHA256.HEX', 'SSHA512.HEX', 'SHA512.B64', 'SSHA256.BASE64'].map((scheme) => ({
      scheme,
      options: [],
    })),
    ...['SMD5', 'LDAP-MD5', 'PLAIN-MD5', 'PLAIN-MD4', 'PLAIN-MD5.B64'].map((scheme) => ({ scheme, options: [] })),
    ...['CRAM-MD5', 'HMAC-MD5', 'DIGEST-MD5', 'CRAM-MD5.B64'].map((scheme) => ({ scheme, options: [] })),
    ...['PLAIN', 'CLEAR', 'CLEARTEXT', 'PLAIN.HEX', 'PLAIN.B64', 'PLAIN-TRUNC', 'OTP'].map((scheme) => ({
      scheme,
      options: [],
    })),
  ],
  command: (form) => commandLine(['doveadm', ...writeArguments(form, 'PASSWORD')]),
  open: async () => ({
    version: `Dovecot ${/^[\d.]+/.exec(await outputOf('dovecot', ['--version']))?.[0]} (${packageVersion('dovecot-core')})`,
    verifier: 'doveadm pw -t',
    write: (form, password) => outputOf('doveadm', writeArguments(form, password)),
    judge: (_form, text, password) => judgeWithDovecot(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};

/** Resolves to what `doveadm pw -t` says about a password for a stored form with a scheme. */
export async function judgeWithDovecot(text: string, password: string): Promise<Judgement> {
  const { code, output } = await run('doveadm', ['pw', '-t', text, '-u', USER, '-p', password]);
  if (code === 0) return { accepted: true };
  const message = output.trim().split('\n').at(-1) ?? '';
  if (message.endsWith('Password mismatch')) return { accepted: false };
  return { accepted: false, error: message };
}

function writeArguments({ scheme, options }: Form, password: string): readonly string[] {
  const user = /^DIGEST-MD5|^OTP/.test(scheme) ? ['-u', USER] : [];
  return ['pw', '-s', scheme, ...options, ...user, '-p', password];
}
