import { canonicalName } from '../../../packages/users/src/canonical-name.ts';
import { SecretError } from '../../../packages/users/src/errors.ts';
import { parseUserFile } from '../../../packages/users/src/files/parse-user-file.ts';
import type { UserFileFormat } from '../../../packages/users/src/files/user-file.ts';
import { parseSecret } from '../../../packages/users/src/secrets/parse-secret.ts';
import { holds, type Target } from '../target.ts';

/** Stored secrets in every spelling. */
export const secrets: Target = {
  name: 'stored secrets',
  maxOctets: 300,
  maxPumped: 9_000,
  seeds: [
    '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$pbkdf2-sha256$1000$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW',
    '$6$rounds=5000$saltsalt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.',
    '$apr1$saltsalt$9.SEO.3WjWJk6V1ZJRlbW0',
    '{SSHA256.hex}00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff73616c74',
    '{PBKDF2}10000$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cI',
    '{PLAIN}pa55word',
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    '!',
  ],
  tokens: [
    '$',
    '{',
    '}',
    '{SHA}',
    '{CRYPT}',
    '.b64',
    'm=',
    't=',
    'p=',
    'v=16',
    'rounds=',
    ',',
    '=',
    '$2b$',
    '$y$',
    '!',
  ],
  parse: (input) => outcomeOf(input.toString()),
  run(input) {
    const text = input.toString();
    const outcome = outcomeOf(text);
    if (outcome.startsWith('clear')) holds(/^\{(?:PLAIN|CLEAR)/i.test(text), 'clear text has a prefix that says so');
    return outcome;
  },
};

/** Files of users in their three formats. */
export const userFiles: Target = {
  name: 'user files',
  maxOctets: 300,
  seeds: [
    'joe:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n# a comment\nann:*0\n',
    'joe:{PLAIN}pa55word:1000:1000::/home/joe::userdb_mail=maildir:~/mail allow_nets=127.0.0.1\n',
    'joe:!$y$j9T$x$y:19000:0:99999:7:::\nann:*:0:0:90:7:14:20000:\n',
  ],
  tokens: [':', '\n', '\r\n', '#', ' ', 'nologin', 'allow_nets=', '{SHA}', '\uFEFF', 'joe', 'JOE', '\0', '\t'],
  // One format: the lines of all three are split in one way.
  parse: (input) => parseUserFile(input, { format: 'passwd-file' }),
  run: (input) => FORMATS.map((format) => outcomeOfFile(input, format)).join(),
};

function outcomeOf(text: string): string {
  try {
    const secret = parseSecret(text, { allowWeak: true });
    return secret.kind === 'hash' ? `hash ${secret.scheme}` : secret.kind;
  } catch (error) {
    if (error instanceof SecretError) return error.code;
    throw error;
  }
}

function outcomeOfFile(input: Buffer, format: UserFileFormat): string {
  const { users, problems } = parseUserFile(input, { format });
  const names = users.map(({ name }) => canonicalName(name));
  holds(!names.includes(undefined), 'each user has a name that a client can send');
  const isWhole = !problems.some(({ effect }) => effect === 'file');
  holds(!isWhole || new Set(names).size === names.length, 'a file without a fault has each name once');
  return [String(users.length > 0), ...new Set<string>(problems.map(({ effect }) => effect))].toSorted().join(' ');
}

const FORMATS: readonly UserFileFormat[] = ['htpasswd', 'passwd-file', 'shadow'];
