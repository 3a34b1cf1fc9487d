import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Form, type Judgement, outputOf, type PasswordTool, packageVersion } from './password-tool.ts';

/** Python's passlib. */
export const passlib: PasswordTool = {
  name: 'passlib',
  skips: skipsPython,
  forms: [
    { scheme: 'pbkdf2_sha1', options: ['rounds=2000'] },
    { scheme: 'pbkdf2_sha256', options: [] },
    { scheme: 'pbkdf2_sha256', options: ['rounds=1000', 'salt_size=8'] },
    { scheme: 'pbkdf2_sha512', options: ['rounds=3000'] },
    { scheme: 'scrypt', options: [], costly: true },
    { scheme: 'scrypt', options: ['rounds=10', 'block_size=4', 'parallelism=2'] },
    { scheme: 'argon2', options: [], costly: true },
    { scheme: 'argon2', options: ['type="ID"', 'rounds=1', 'memory_cost=1024', 'parallelism=2'] },
    { scheme: 'argon2', options: ['type="I"', 'rounds=2', 'memory_cost=512', 'parallelism=1'] },
    { scheme: 'argon2', options: ['type="D"', 'rounds=2', 'memory_cost=512', 'parallelism=1'] },
    { scheme: 'sha256_crypt', options: [], costly: true },
    { scheme: 'sha256_crypt', options: ['rounds=5000'] },
    { scheme: 'sha512_crypt', options: [], costly: true },
    { scheme: 'sha512_crypt', options: ['rounds=1000'] },
    { scheme: 'bcrypt', options: [], bcrypt: true, costly: true },
    { scheme: 'bcrypt', options: ['rounds=4', 'ident="2a"'], bcrypt: true },
    { scheme: 'bcrypt', options: ['rounds=5', 'ident="2y"'], bcrypt: true },
    { scheme: 'bcrypt', options: ['rounds=5', 'ident="2b"'], bcrypt: true },
    { scheme: 'bcrypt_sha256', options: ['rounds=4'] },
    { scheme: 'apr_md5_crypt', options: [] },
    { scheme: 'md5_crypt', options: [] },
    { scheme: 'sha1_crypt', options: ['rounds=2000'] },
    { scheme: 'des_crypt', options: [], des: true },
    { scheme: 'bigcrypt', options: [], des: true },
    { scheme: 'ldap_md5', options: [] },
    { scheme: 'ldap_sha1', options: [] },
    { scheme: 'ldap_salted_md5', options: [] },
    { scheme: 'ldap_salted_sha1', options: ['salt_size=16'] },
    { scheme: 'ldap_salted_sha256', options: [] },
    { scheme: 'ldap_salted_sha512', options: [] },
    { scheme: 'ldap_hex_md5', options: [] },
    { scheme: 'ldap_hex_sha1', options: [] },
    { scheme: 'ldap_bcrypt', options: ['rounds=4'], bcrypt: true },
    { scheme: 'ldap_md5_crypt', options: [] },
    { scheme: 'ldap_sha256_crypt', options: ['rounds=1500'] },
    { scheme: 'ldap_sha512_crypt', options: ['rounds=5000'] },
    { scheme: 'ldap_des_crypt', options: [], des: true },
    { scheme: 'ldap_sha1_crypt', options: ['rounds=2000'] },
    { scheme: 'ldap_pbkdf2_sha1', options: ['rounds=2000'] },
    { scheme: 'ldap_pbkdf2_sha256', options: ['rounds=2000'] },
    { scheme: 'ldap_pbkdf2_sha512', options: ['rounds=2000'] },
    { scheme: 'atlassian_pbkdf2_sha1', options: [] },
    { scheme: 'django_pbkdf2_sha256', options: ['rounds=2000'] },
    { scheme: 'cta_pbkdf2_sha1', options: ['rounds=2000'] },
    { scheme: 'phpass', options: ['rounds=7'] },
    { scheme: 'mysql41', options: [] },
    { scheme: 'nthash', options: [] },
    { scheme: 'scram', options: ['rounds=4096'] },
    { scheme: 'unix_disabled', options: [] },
  ],
  command: ({ scheme, options }) => `passlib.hash.${scheme}.using(${options.join(', ')}).hash(PASSWORD)`,
  open: () => openLibrary('passlib', 'python3-passlib', 'passlib.hash.SCHEME.verify'),
};

/** Python's argon2-cffi, around libargon2. */
export const argon2Cffi: PasswordTool = {
  name: 'argon2-cffi',
  skips: skipsPython,
  forms: [
    { scheme: 'ID', options: ['time_cost=2', 'memory_cost=19456', 'parallelism=1'] },
    { scheme: 'ID', options: ['time_cost=1', 'memory_cost=64', 'parallelism=8', 'hash_len=64', 'salt_len=32'] },
    { scheme: 'I', options: ['time_cost=3', 'memory_cost=256', 'parallelism=1'] },
    { scheme: 'D', options: ['time_cost=1', 'memory_cost=256', 'parallelism=1', 'hash_len=16', 'salt_len=8'] },
    { scheme: 'ID', options: ['time_cost=1', 'memory_cost=1048576', 'parallelism=1'], costly: true },
  ],
  command: ({ scheme, options }) =>
    `argon2.PasswordHasher(${[...options, `type=argon2.Type.${scheme}`].join(', ')}).hash(PASSWORD)`,
  open: () => openLibrary('argon2-cffi', 'python3-argon2', 'argon2.low_level.verify_secret'),
};

/** Resolves to what libargon2 says about a password for a PHC string. */
export function judgeWithLibargon2(text: string, password: string): Promise<Judgement> {
  return ask({ library: 'argon2-cffi', scheme: 'ID', settings: {}, text, password });
}

async function openLibrary(library: string, debianPackage: string, verifier: string) {
  const request = ({ scheme, options }: Form) => ({ library, scheme, settings: settingsOf(options) });
  return {
    version: `${library} (${packageVersion(debianPackage)})`,
    verifier,
    write: async (form: Form, password: string) => (await ask({ ...request(form), password })).text,
    judge: async (form: Form, text: string, password: string): Promise<Judgement> => {
      const { accepted, error } = await ask({ ...request(form), text, password });
      return error === undefined ? { accepted } : { accepted, error };
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function ask(request: object): Promise<{ text: string; accepted: boolean; error?: string }> {
  return JSON.parse(await outputOf(PYTHON, ['-c', PROGRAM], JSON.stringify(request)));
}

/** `rounds=5` and `ident="2a"` as the members of an object. */
function settingsOf(options: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    options.map((option) => {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(option) ?? [];
      return [name, JSON.parse(value)];
    }),
  );
}

/** Debian's Python, which has Debian's packages. Another Python may come first in `PATH`. */

/** Returns true, and prints how to install the libraries, if they are missing. */
function skipsPython(): boolean {
  const found = spawnSync(PYTHON, ['-c', 'import argon2, bcrypt, passlib']).status === 0;
  if (!found) {
    console.warn(`skipped: ${PYTHON} lacks a library: apt-get install python3-argon2 python3-bcrypt python3-passlib`);
  }
  return !found;
}

/** Debian's Python, which has Debian's packages. Another Python may come first in `PATH`. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = readFileSync(new URL('python_tool.py', import.meta.url), 'utf8');
