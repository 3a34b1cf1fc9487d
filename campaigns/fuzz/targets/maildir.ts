import { copyWithCrlf, countBareLf } from '../../../packages/maildir/src/mailbox/line-endings.ts';
import { parseLockOwner } from '../../../packages/maildir/src/mailbox/lock-owner.ts';
import { byArrival, keyOf, MessageFile } from '../../../packages/maildir/src/mailbox/message-file.ts';
import { split } from '../splits.ts';
import { holds, same, type Target } from '../target.ts';

const LOCK = '4711.2n9c.YjAwdA-_.cGlkOls0.bSBob3N0.0123456789abcdef';

/** The texts of locks of mailboxes, also torn ones. */
export const lockFiles: Target = {
  name: 'lock files',
  maxPumped: 1_024,
  seeds: [LOCK, `${LOCK}\n`, '1..YjAwdA-_...0123456789abcdef', '', 'null'],
  tokens: ['.', '..', '/', '0123456789abcdef', '-1', '1e99', '\n', '\0'],
  parse: (input) => parseLockOwner(input.toString('utf8')),
  run(input) {
    const text = input.toString('utf8');
    const owner = parseLockOwner(text);
    if (owner === undefined) return 'damaged';
    holds(Number.isSafeInteger(owner.pid) && owner.pid > 0, 'a pid is a positive integer');
    holds(/^[0-9a-f]{16}$/.test(owner.nonce), 'a nonce is fit for a file name');
    const { pid, started, boot, namespace, machine, nonce } = owner;
    same([pid, started, boot, namespace, machine, nonce].join('.'), text.trimEnd(), 'no octet is left out');
    for (let length = 0; length < text.trimEnd().length; length++) {
      holds(parseLockOwner(text.slice(0, length)) === undefined, 'a torn lock names no owner');
    }
    return `${started === ''} ${namespace === ''} ${machine === ''}`;
  },
};

/** Names of message files, whose keys must not change. */
export const fileNames: Target = {
  name: 'file names',
  maxPumped: 255,
  seeds: [
    '1700000000.M123456P42Q7.host',
    '1700000000.M123456P42Q7.host,S=1000,W=1020:2,FS',
    '20.1_2.host,U=5,FMD5=7c33,S=1:2,',
    'no-time',
    'x,S=,W=5a,S=5',
  ],
  tokens: [',S=', ',W=', ':2,', ',', '1700000000', '.M', ':1,', 'S=5', '\xff'],
  parse: (input) => new MessageFile('new', input.toString('latin1')).uid,
  run(input) {
    const name = input.toString('latin1');
    const key = keyOf(name);
    same(keyOf(key), key, 'the key of a key');
    same(keyOf(`${key},S=12`), key, 'a size does not change the key');
    same(keyOf(`${key},S=12,W=14`), key, 'sizes do not change the key');
    same(keyOf(`${key}:2,RS`), key, 'flags do not change the key');
    const file = new MessageFile('new', name);
    holds(/^[0-9a-f]{32}$/.test(file.uid), 'a unique id has one alphabet');
    same(new MessageFile('cur', `${key}:2,S`).uid, file.uid, 'the id stays the same');
    same(byArrival(file, new MessageFile('cur', `${key}:2,S`)), 0, 'the place stays the same');
    return `${file.arrivedAt > 0} ${key === name}`;
  },
};

/** Messages with any line endings, which a mailbox reads in pieces. */
export const lineEndings: Target = {
  name: 'line endings',
  maxOctets: 300,
  seeds: ['a\nb\r\nc', '\n\n', '\r\r\n\r', 'x'.repeat(80), ''],
  tokens: ['\r\n', '\n', '\r', '\n\r'],
  parse: (input) => convert([input]),
  run(input) {
    const text = input.toString('latin1');
    const expected = text.replace(/(?<!\r)\n/g, '\r\n');
    const { octets, output } = convert(split(input));
    same(output, expected, 'LF becomes CRLF');
    same(octets, expected.length, 'the octets are those that are sent');
    return `${Math.min(20, expected.length - text.length)}`;
  },
};

function convert(pieces: readonly Buffer[]): { readonly octets: number; readonly output: string } {
  let [octets, output, previous] = [0, '', 0];
  for (const piece of pieces) {
    octets += piece.length + countBareLf(piece, piece.length, previous);
    const target = Buffer.alloc(2 * piece.length);
    output += target.toString('latin1', 0, copyWithCrlf(piece, previous, target));
    previous = piece.at(-1) ?? previous;
  }
  return { octets, output };
}
