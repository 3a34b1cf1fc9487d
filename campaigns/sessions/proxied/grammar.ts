import type { Random } from '../../fuzz/random.ts';
import { mutated } from '../mutated.ts';
import type { Script } from '../protocol.ts';
import { base64, RIGHT_PASSWORD, WRONG_PASSWORD } from '../secrets.ts';
import { USERS } from '../users.ts';

/** What a client may say in one protocol. */
export interface Vocabulary {
  readonly lines: readonly string[];
  /** `tag` is the tag with its space, where the protocol has tags. */
  readonly logins: readonly ((user: string, password: string) => string)[];
  readonly startTls: string;
  readonly logout: string;
  readonly hasTags: boolean;
}

/** Makes a session that is valid in most places. */
export function makeScript(random: Random, user: string, vocabulary: Vocabulary): Script {
  const tags = { count: 0 };
  const ending = random.pick(ENDINGS);
  const readsSlowly = random.below(10) === 0;
  const end = `\r\n${tagged(vocabulary.logout, vocabulary, tags)}`;
  if (random.below(4) > 0) {
    return { plain: steps(random, user, vocabulary, tags) + end, afterStartTls: undefined, ending, readsSlowly };
  }
  const injected = random.below(6) === 0 ? 'x NOOP\r\n' : '';
  return {
    plain: tagged(vocabulary.startTls, vocabulary, tags) + injected,
    afterStartTls: steps(random, user, vocabulary, tags) + end,
    ending,
    readsSlowly,
  };
}

function steps(random: Random, user: string, vocabulary: Vocabulary, tags: Tags): string {
  let said = '';
  const add = (step: string): void => {
    const whole = tagged(step, vocabulary, tags);
    said += random.below(12) === 0 ? mutated(random, whole, ODDITIES) : whole;
  };
  const login = (password: string): string => random.pick(vocabulary.logins)(user, password);
  for (let count = random.below(6); count > 0; count--) add(random.pick(vocabulary.lines));
  for (let count = random.below(3); count > 0; count--) add(login(WRONG_PASSWORD));
  if (random.below(6) > 0) add(login(RIGHT_PASSWORD));
  for (let count = random.below(8); count > 0; count--) add(random.pick(vocabulary.lines));
  return said;
}

/** Counts the tags of a session. */
interface Tags {
  count: number;
}

function tagged(line: string, { hasTags }: Vocabulary, tags: Tags): string {
  return hasTags ? `a${++tags.count} ${line}` : line;
}

function literal(text: string, plus = '+'): string {
  return `{${text.length}${plus}}\r\n${text}`;
}

function plain(user: string, password: string): string {
  return base64(`\0${user}\0${password}`);
}

export const imapVocabulary: Vocabulary = {
  hasTags: true,
  startTls: 'STARTTLS\r\n',
  logout: 'LOGOUT\r\n',
  lines: [
    'CAPABILITY\r\n',
    'capability\r\n',
    'NOOP\r\n',
    'NOOP x\r\n',
    'ID NIL\r\n',
    'ID ("name" "x" "version" NIL)\r\n',
    'ID ("name"\r\n',
    'SELECT INBOX\r\n',
    'LIST "" {1+}\r\n*\r\n',
    'APPEND x {3}\r\nabc\r\n',
    'XYZZY {10+}\r\na9 NOOP\r\n\0\r\n',
    'XYZZY {99999999999+}\r\nx\r\n',
    'LOGIN {5000}\r\n',
    'LOGIN {5000+}\r\n',
    'LOGIN x\r\n',
    'LOGIN "un\r\n',
    'AUTHENTICATE\r\n',
    'AUTHENTICATE PLAIN =\r\n',
    'AUTHENTICATE XYZZY\r\n',
    'AUTHENTICATE LOGIN\r\n*\r\n',
    'AUTHENTICATE PLAIN\r\n*\r\n',
    'AUTHENTICATE PLAIN !!!\r\n',
    '\r\n',
    `NOOP ${'x'.repeat(9_000)}\r\n`,
    'STARTTLS x\r\n',
  ],
  logins: [
    (user, password) => `LOGIN ${user} ${password}\r\n`,
    (user, password) => `login "${user}" "${password}"\r\n`,
    (user, password) => `LOGIN ${literal(user)} ${literal(password)}\r\n`,
    (user, password) => `LOGIN ${literal(user, '')} ${literal(password, '')}\r\n`,
    (user, password) => `LOGIN "${user}" ${literal(password)}\r\n`,
    (user, password) => `AUTHENTICATE PLAIN ${plain(user, password)}\r\n`,
    (user, password) => `AUTHENTICATE PLAIN\r\n${plain(user, password)}\r\n`,
    (user, password) => `authenticate login\r\n${base64(user)}\r\n${base64(password)}\r\n`,
    (user) => `AUTHENTICATE CRAM-MD5\r\n${base64(`${user} 00112233445566778899aabbccddeeff`)}\r\n`,
    (user) => `AUTHENTICATE SCRAM-SHA-256 ${base64(`n,,n=${user},r=fyko`)}\r\n${base64('c=biws,r=x,p=YQ==')}\r\n`,
  ],
};

export const sieveVocabulary: Vocabulary = {
  hasTags: false,
  startTls: 'STARTTLS\r\n',
  logout: 'LOGOUT\r\n',
  lines: [
    'CAPABILITY\r\n',
    'NOOP\r\n',
    'NOOP "tag"\r\n',
    `NOOP ${literal('tag')}\r\n`,
    'NOOP {3}\r\n',
    'NOOP "un\r\n',
    'LISTSCRIPTS\r\n',
    `PUTSCRIPT "x" ${literal('keep;\r\n')}\r\n`,
    'PUTSCRIPT "x" {99999999999+}\r\n',
    'XYZZY\r\n',
    '\r\n',
    'AUTHENTICATE\r\n',
    'AUTHENTICATE PLAIN\r\n',
    'AUTHENTICATE "XYZZY"\r\n',
    'AUTHENTICATE "PLAIN" "!!!"\r\n',
    'AUTHENTICATE "LOGIN"\r\n"*"\r\n',
    'AUTHENTICATE "PLAIN"\r\n"*"\r\n',
    `NOOP "${'x'.repeat(3_000)}"\r\n`,
  ],
  logins: [
    (user, password) => `AUTHENTICATE "PLAIN" "${plain(user, password)}"\r\n`,
    (user, password) => `AUTHENTICATE "PLAIN" ${literal(plain(user, password))}\r\n`,
    (user, password) => `authenticate ${literal('PLAIN')} ${literal(plain(user, password))}\r\n`,
    (user, password) => `AUTHENTICATE "LOGIN"\r\n"${base64(user)}"\r\n${literal(base64(password))}\r\n`,
    (user) => `AUTHENTICATE "CRAM-MD5"\r\n"${base64(`${user} 00112233445566778899aabbccddeeff`)}"\r\n`,
    (user) => `AUTHENTICATE "SCRAM-SHA-256" "${base64(`n,,n=${user},r=fyko`)}"\r\n"${base64('c=biws,r=x,p=YQ==')}"\r\n`,
  ],
};

const RIGHT_LOGINS: ReadonlySet<string> = new Set(
  [imapVocabulary, sieveVocabulary].flatMap(({ logins }) =>
    USERS.flatMap((user) => logins.map((login) => login(user, RIGHT_PASSWORD))).filter((text) => hasPassword(text)),
  ),
);

/** Returns true for the octets of a command, without its tag, that a server must accept. */
export function isRightLogin(command: string): boolean {
  return RIGHT_LOGINS.has(command);
}

function hasPassword(text: string): boolean {
  return text.includes(RIGHT_PASSWORD) || USERS.some((user) => text.includes(plain(user, RIGHT_PASSWORD)));
}

const ODDITIES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\xff',
  ' ',
  '\t',
  '\x16\x03\x01',
  '*\r\n',
  '"',
  '\\',
  '{3+}\r\n',
  '{2}\r\n',
];
const ENDINGS = ['wait', 'wait', 'wait', 'wait', 'half-close', 'reset'] as const;
