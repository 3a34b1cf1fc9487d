import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon } from '../daemon.ts';
import { freePort } from '../free-port.ts';
import { run, skips } from '../program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import {
  commandLine,
  type Form,
  type Judgement,
  outputOf,
  type PasswordTool,
  packageVersion,
} from './password-tool.ts';

/** The folder of Debian's modules. */
const MODULES = '/usr/lib/ldap';

/** OpenLDAP: `slappasswd` with Debian's modules, and simple binds to a slapd. */
export const openldap: PasswordTool = {
  name: 'slappasswd',
  skips: () => skips('slapd', 'slapd slapd-contrib') || skips('ldapwhoami', 'ldap-utils'),
  forms: [
    ...['{SSHA}', '{SHA}', '{MD5}', '{SMD5}', '{CLEARTEXT}'].map((scheme) => form(scheme)),
    { ...form('{CRYPT}'), des: true },
    ...['$1$%.8s', '$5$%.16s', '$6$%.16s', '$6$rounds=5000$%.16s', '$y$j75$%.16s'].map((salt) => form('{CRYPT}', salt)),
    { ...form('{CRYPT}', '$2b$05$%.22s'), bcrypt: true },
    ...['{SHA256}', '{SSHA256}', '{SHA384}', '{SSHA384}', '{SHA512}', '{SSHA512}'].map((scheme) =>
      form(scheme, undefined, 'pw-sha2'),
    ),
    ...['{PBKDF2}', '{PBKDF2-SHA1}', '{PBKDF2-SHA256}', '{PBKDF2-SHA512}'].map((scheme) =>
      form(scheme, undefined, 'pw-pbkdf2'),
    ),
    ...['{APR1}', '{BSDMD5}'].map((scheme) => form(scheme, undefined, 'pw-apr1')),
    form('{ARGON2}', undefined, 'argon2'),
    form('{ARGON2}', undefined, 'argon2 m=1024 t=2 p=2'),
  ],
  command: ({ options }) => commandLine(['slappasswd', ...options, '-s', 'PASSWORD']),
  open: openSlapd,
};

async function openSlapd() {
  const folder = temporaryFolder('slapd');
  const configFile = join(folder.path, 'slapd.conf');
  writeFileSync(configFile, configuration(folder.path));
  const url = `ldap://127.0.0.1:${await freePort()}`;
  const daemon = await startDaemon('slapd', ['-f', configFile, '-h', url, '-d', 'stats'], /slapd starting/).catch(
    (error: unknown) => {
      folder[Symbol.dispose]();
      throw error;
    },
  );
  await outputOf('ldapadd', ['-x', '-H', url, '-D', ROOT, '-w', 'root'], ENTRIES);
  return {
    version: `OpenLDAP (${packageVersion('slapd')}, ${packageVersion('slapd-contrib')})`,
    verifier: 'simple bind to slapd',
    write: ({ options }: Form, password: string) => outputOf('slappasswd', [...options, '-s', password]),
    async judge(_form: Form, text: string, password: string): Promise<Judgement> {
      const value = Buffer.from(text).toString('base64');
      const change = `dn: ${JOE}\nchangetype: modify\nreplace: userPassword\nuserPassword:: ${value}\n`;
      await outputOf('ldapmodify', ['-x', '-H', url, '-D', ROOT, '-w', 'root'], change);
      const { code, output } = await run('ldapwhoami', ['-x', '-H', url, '-D', JOE, '-w', password]);
      if (code === 0) return { accepted: true };
      return code === INVALID_CREDENTIALS ? { accepted: false } : { accepted: false, error: output.trim() };
    },
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      folder[Symbol.dispose]();
    },
  };
}

/** The call of slappasswd for a scheme, with a format for the salt of crypt(3) or with a module. */
function form(scheme: string, salt?: string, module?: string): Form {
  return {
    scheme,
    options: [
      ...(module === undefined ? [] : ['-o', `module-path=${MODULES}`, '-o', `module-load=${module}`]),
      '-h',
      scheme,
      ...(salt === undefined ? [] : ['-c', salt]),
    ],
  };
}

function configuration(folder: string): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
modulepath ${MODULES}
moduleload back_mdb
moduleload argon2
moduleload pw-apr1
moduleload pw-pbkdf2
moduleload pw-sha2
database mdb
directory ${folder}
suffix dc=example,dc=org
rootdn ${ROOT}
rootpw root
access to attrs=userPassword by anonymous auth
`;
}

const ROOT = 'cn=root,dc=example,dc=org';
const JOE = 'uid=joe,dc=example,dc=org';
const ENTRIES = `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ${JOE}
objectClass: account
objectClass: simpleSecurityObject
uid: joe
userPassword: unset
`;

/** The LDAP result code, which is also the exit code of ldapwhoami (RFC 4511 §4.1.9). */
const INVALID_CREDENTIALS = 49;
