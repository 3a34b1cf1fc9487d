import { DotStuffer } from '../../../packages/conversation/src/dot-stuffer.ts';
import { parseCommand as parseImap } from '../../../packages/imap/src/protocol/command.ts';
import { parseCommand as parsePop3, verbOf } from '../../../packages/pop3/src/protocol/command.ts';
import { literalAtEnd, quote, readStrings } from '../../../packages/sasl-profile/src/strings/read-strings.ts';
import { split } from '../splits.ts';
import { holds, same, type Target } from '../target.ts';

/** The lines of POP3. */
export const pop3Commands: Target = {
  name: 'pop3Commands',
  maxPumped: 2_048,
  seeds: [
    'USER ann',
    'PASS  two words ',
    `APOP a b ${'0a'.repeat(16)}`,
    'AUTH PLAIN =',
    'LIST 007 ',
    'TOP 1 0',
    'QUIT',
  ],
  tokens: ['RETR ', 'DELE ', 'UIDL ', 'top ', ' ', '0', '99999999999999999999', '-1', '\0', '\xff'],
  parse: (input) => parsePop3(input.toString('latin1')),
  run(input) {
    const text = input.toString('latin1');
    const command = parsePop3(text);
    same(verbOf(text), command.verb, 'the verb of a line');
    if ('password' in command) same(`PASS ${octets(command.password)}`, `PASS${text.slice(4)}`, 'PASS takes the rest');
    if ('name' in command && command.verb === 'USER') same(octets(command.name), text.slice(5), 'USER takes the rest');
    if ('message' in command && command.message !== undefined) holds(command.message >= 0, 'a number is not negative');
    return `${command.verb} ${'fault' in command ? command.fault : ''}`;
  },
};

/** The commands of IMAP, and the strings of IMAP and ManageSieve. */
export const strings: Target = {
  name: 'strings',
  maxPumped: 8_192,
  seeds: ['a1 LOGIN ann "s\\"ecret"', 'a LOGIN {3+}', 'a AUTHENTICATE PLAIN =', '"PLAIN" {12}', 'atom "x" b', '"\xe4"'],
  tokens: ['"', '\\', '{', '}', '{4+}', '{99999999999999999999+}', ' ', '+', '\0', ']'],
  parse: (input) => {
    const text = input.toString('latin1');
    return [parseImap(text), readStrings(text, false, true), readStrings(text, false, false)];
  },
  run(input) {
    const text = input.toString('latin1');
    const command = parseImap(text);
    if (command !== undefined) holds(text.startsWith(`${command.tag} `), 'a command begins with its tag');
    const [imap, sieve] = [readStrings(text, false, true), readStrings(text, false, false)];
    if (sieve !== undefined) same(imap, sieve, 'strings without atoms are strings with atoms');
    if (imap?.literal !== undefined) same(imap.literal, literalAtEnd(text), 'the literal of a line');
    const quoted = quote(text);
    holds((quoted !== undefined) === /^[ -~]*$/.test(text), 'printable ASCII can be quoted');
    if (quoted !== undefined) same(readStrings(quoted, false, false)?.strings, [text], 'the text of a quoted string');
    const name = command !== undefined && 'name' in command ? 'named' : typeof command;
    return `${name} ${imap?.strings.length} ${sieve?.strings.length} ${imap?.literal?.isSynchronizing}`;
  },
};

/** Messages of RETR in pieces, which a client's unstuffing turns back into what they were. */
export const retrieved: Target = {
  name: 'retrieved',
  seeds: ['hello\r\n', '.x\r\n..\r\n', 'no end', '\r\n.\r\n.', 'a\n.\nb', '.'],
  tokens: ['\r\n.', '\r\n', '.', '\r', '\n.', '\0', '.'.repeat(30)],
  parse: (input) => stuff([input]),
  run(input) {
    // A mailbox ends each line with CRLF.
    const text = input.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
    const sent = stuff(split(Buffer.from(text, 'latin1')));
    const end = sent.indexOf('\r\n.\r\n');
    const isEmpty = sent === '.\r\n';
    holds(isEmpty || end === sent.length - 5, 'the message has one end');
    const lines = isEmpty ? '' : sent.slice(0, end + 2);
    holds(!/(?:^|\n)\.(?!\.)/.test(lines), 'a line that begins with a dot has two');
    const unstuffed = lines.replace(/(^|\n)\./g, '$1');
    same(unstuffed, text === '' || text.endsWith('\n') ? text : `${text}\r\n`, 'the message');
    return `${isEmpty} ${sent.length === text.length + 3} ${text.endsWith('\n')}`;
  },
};

function stuff(pieces: readonly Uint8Array[]): string {
  const stuffer = new DotStuffer();
  return pieces.map((piece) => octets(stuffer.push(piece))).join('') + stuffer.end();
}

function octets(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
