import type { Random } from '../../fuzz/random.ts';
import { mutated } from '../mutated.ts';
import type { Script } from '../protocol.ts';
import { base64, RIGHT_PASSWORD, WRONG_PASSWORD } from '../secrets.ts';

/** Makes a session that is valid in most places, for a user with a maildrop. */
export function makeScript(random: Random, user: string): Script {
  const ending = random.pick(ENDINGS);
  const readsSlowly = random.below(10) === 0;
  const end = random.pick(LAST_LINES);
  if (random.below(4) > 0) {
    const plain = steps(random, user) + random.pick(TERMINATORS) + TERMINATORS[0] + end;
    return { plain, afterStartTls: undefined, ending, readsSlowly };
  }
  const injected = random.below(6) === 0 ? 'NOOP\r\nRSET\r\n' : '';
  return {
    plain: `${random.below(2) === 0 ? 'CAPA\r\n' : ''}${injection(random, user)}STLS\r\n${injected}`,
    afterStartTls: steps(random, user) + TERMINATORS[0] + end,
    ending,
    readsSlowly,
  };
}

/** Returns lines before a login, each with a terminator of an open exchange. */
function injection(random: Random, user: string): string {
  return random.below(3) > 0 ? '' : logIn(random, user, random.pick(FAILED_LOGINS)) + TERMINATORS[0];
}

function steps(random: Random, user: string): string {
  let said = '';
  const add = (step: string): void => {
    said += random.below(12) === 0 ? mutated(random, step, ODDITIES) : step;
  };
  for (let count = random.below(4); count > 0; count--) add(random.pick([...EARLY_LINES, ...LATE_LINES]));
  if (random.below(3) === 0) add(logIn(random, user, random.pick(FAILED_LOGINS)) + TERMINATORS[0]);
  if (random.below(12) > 0) add(logIn(random, user, random.pick(LOGINS)));
  for (let count = random.below(12); count > 0; count--) {
    add(random.below(12) === 0 ? random.pick(EARLY_LINES) : random.pick(LATE_LINES));
  }
  return said;
}

function logIn(random: Random, user: string, login: (user: string, password: string) => string): string {
  return login(user, random.below(8) === 0 ? WRONG_PASSWORD : RIGHT_PASSWORD);
}

const LOGINS: readonly ((user: string, password: string) => string)[] = [
  (user, password) => `USER ${user}\r\nPASS ${password}\r\n`,
  (user, password) => `user ${user}\r\npass ${password}\r\n`,
  (user, password) => `AUTH PLAIN ${base64(`\0${user}\0${password}`)}\r\n`,
  (user, password) => `AUTH PLAIN\r\n${base64(`\0${user}\0${password}`)}\r\n`,
  (user, password) => `AUTH LOGIN\r\n${base64(user)}\r\n${base64(password)}\r\n`,
];

const FAILED_LOGINS: readonly ((user: string) => string)[] = [
  (user) => `USER ${user}\r\nPASS ${WRONG_PASSWORD}\r\n`,
  (user) => `USER ${user}\r\nNOOP\r\n`,
  () => `USER nobody\r\nPASS ${WRONG_PASSWORD}\r\n`,
  () => `PASS ${WRONG_PASSWORD}\r\n`,
  () => 'USER\r\nPASS\r\n',
  (user) => `USER ${user}\r\nPASS \r\n`,
  (user) => `USER ${user}\r\nPASS  two words \r\n`,
  (user) => `APOP ${user} 00112233445566778899aabbccddeeff\r\n`,
  (user) => `APOP ${user}\r\n`,
  (user) => `AUTH CRAM-MD5\r\n${base64(`${user} 00112233445566778899aabbccddeeff`)}\r\n`,
  (user) =>
    `AUTH SCRAM-SHA-256 ${base64(`n,,n=${user},r=fyko+d2lbbFgONRv9qkxdawL`)}\r\n${base64('c=biws,r=x,p=YQ==')}\r\n`,
  (user) => `AUTH SCRAM-SHA-1 ${base64(`n,,n=${user},r=fyko+d2lbbFgONRv9qkxdawL`)}\r\n*\r\n`,
  () => `AUTH PLAIN ${WRONG_PASSWORD}\r\n`,
  () => 'AUTH XYZZY =\r\n',
  () => 'AUTH PLAIN =\r\n',
  () => 'AUTH LOGIN\r\n*\r\n',
  () => 'AUTH\r\n',
];

/** Lines of the state before the login (RFC 1939 §4), and lines of no state. */
const EARLY_LINES = [
  'CAPA\r\n',
  'capa\r\n',
  'LANG\r\n',
  'UTF8\r\n',
  'XYZZY\r\n',
  '\r\n',
  ' \r\n',
  'GET / HTTP/1.1\r\n',
  'bare\nline\r\n',
  `NOOP ${'x'.repeat(3_000)}\r\n`,
  'USER ann\r\n',
  'EHLO client.example.org\r\n',
];

/** Lines of the state behind the login (RFC 1939 §5). */
const LATE_LINES = [
  'STAT\r\n',
  'stat\r\n',
  'LIST\r\n',
  'LIST 1\r\n',
  'LIST 2\r\n',
  'LIST 0\r\n',
  'LIST 99999999999999999999\r\n',
  'LIST -1\r\n',
  'LIST x\r\n',
  'UIDL\r\n',
  'UIDL 1\r\n',
  'UIDL 3\r\n',
  'RETR 1\r\n',
  'RETR 2\r\n',
  'RETR 3\r\n',
  'RETR 5\r\n',
  'RETR 1.0\r\n',
  'RETR\r\n',
  'TOP 1 0\r\n',
  'TOP 2 1\r\n',
  'TOP 1 99999999\r\n',
  'TOP 3 2\r\n',
  'TOP 1\r\n',
  'TOP 1 -1\r\n',
  'DELE 1\r\n',
  'DELE 2\r\n',
  'DELE 3\r\n',
  'dele 1\r\n',
  'DELE 1 2\r\n',
  'DELE\r\n',
  'NOOP\r\n',
  'LAST\r\n',
  'RSET\r\n',
  'STLS\r\n',
  'CAPA\r\n',
];
const ODDITIES = ['\r\n', '\n', '\r', '\0', '\xff', ' ', '\t', '\x16\x03\x01', '.\r\n', '*\r\n', '1', '-', 'QUIT\r\n'];
const ENDINGS = ['wait', 'wait', 'wait', 'wait', 'half-close', 'reset'] as const;
/** Ends an exchange that may be open. Where none is, the line is a command that is refused. */
const TERMINATORS = ['*\r\n', '', '', '\r\n'] as const;
/** A client that waits for the end says QUIT. */
const LAST_LINES = ['QUIT\r\n', 'QUIT\r\n', 'RSET\r\nQUIT\r\n', 'quit\r\nNOOP\r\n'];
