import { DotKernel } from '../../../packages/conversation/src/dot-kernel.ts';
import { DotUnstuffer } from '../../../packages/conversation/src/dot-stuffing.ts';
import { BareLineEnding, LineTooLong } from '../../../packages/conversation/src/errors.ts';
import { LineScanner } from '../../../packages/conversation/src/line-scanner.ts';
import { NormalizedMessage } from '../../../packages/conversation/src/normalized-message.ts';
import { BadMessage } from '../../../packages/esmtp/src/client/errors.ts';
import { MessageStuffer } from '../../../packages/esmtp/src/client/message-stuffer.ts';
import { split } from '../splits.ts';
import { holds, same, type Target } from '../target.ts';

/** Lines in octets that come in pieces. */
export const lines: Target = {
  name: 'lines',
  seeds: ['one\r\ntwo\r\n', 'one\ntwo\r\n', 'a\r\r\nb\r\n', 'x'.repeat(20), '\r\n\r\n'],
  tokens: ['\r', '\n', '\r\n', '\n\r', 'xxxxxx', 'xxxxxxx'],
  parse: (input) => scan([input], 2_048),
  run(input) {
    const heard = scan(split(input), MAX_LINE);
    same(heard, readLines(input.toString('latin1')), 'lines, however they are split');
    return heard.slice(0, 4).map(kindOf).join('');
  },
};

/** Dot-stuffed messages in pieces, with the vector kernel and without. */
export const dots: Target = {
  name: 'dots',
  maxOctets: 400,
  seeds: [
    'hello\r\n.\r\n',
    '..x\r\n.\r\nQUIT\r\n',
    'a\n.\r\n.\n.\r\n',
    `${'x'.repeat(80)}\r\n..${'y'.repeat(80)}\r\n.\r\n`,
    'a\r\r\n.\r\nb',
  ],
  tokens: ['\r\n.\r\n', '\n.\n', '\r.\r', '\r\n..', '\r\n.', '.\r\n', '\r\r\n', 'x'.repeat(70)],
  parse: (input) => unstuff([input], new DotUnstuffer(KERNEL)),
  run(input) {
    const pieces = split(input);
    const expected = readMessage(input.toString('latin1'));
    const copies = (): Buffer[] => pieces.map((piece) => Buffer.from(piece));
    same(unstuff(copies(), new DotUnstuffer(KERNEL)), expected, 'the message by the kernel');
    same(unstuff(copies(), new DotUnstuffer(null)), expected, 'the message without the kernel');
    const normalized = { ...expected, output: withCrlf(expected.output), bareLineEndings: false };
    same(unstuff(copies(), new NormalizedMessage()), normalized, 'the message with its line ends normalized');
    return `${expected.ended} ${expected.bareLineEndings} ${Math.sign(expected.output.length)} ${expected.rest.length > 0}`;
  },
};

/** Messages to the next server, which its unstuffing turns back into what they were. */
export const stuffing: Target = {
  name: 'stuffing',
  seeds: ['hello\r\n', '.x\r\n..\r\n', 'no end', '\r\n.\r\n.', 'a\nb', 'a\0b'],
  tokens: ['\r\n.', '\r\n', '.', '\r', '\n', '\0'],
  parse: (input) => stuff([input]),
  run(input) {
    const text = input.toString('latin1');
    const sendable = !/\0|\r(?!\n)|(?<!\r)\n/.test(text);
    const sent = stuff(split(input));
    holds((sent !== undefined) === sendable, 'a message with bare line ends or NUL is not sent, any other is');
    if (sent === undefined) return 'bad';
    const { output, rest, ended } = readMessage(sent);
    same(
      [output, rest, ended],
      [text === '' || text.endsWith('\n') ? text : `${text}\r\n`, '', true],
      'stuffing round trip',
    );
    return `${Math.min(20, sent.length - text.length)}`;
  },
};

const KERNEL = DotKernel.create();

/** Returns one of four words, for the outcome. */
function kindOf(line: string): string {
  if (line === '<bare>' || line === '<long>') return line;
  return line === '' ? '-' : 'x';
}

function scan(chunks: readonly Buffer[], maximum: number): string[] {
  const scanner = new LineScanner();
  const heard: string[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at = scanner.consumed) {
      try {
        const line = scanner.scan(chunk, at, maximum);
        if (line !== undefined) heard.push(line);
      } catch (error) {
        if (error instanceof LineTooLong) heard.push('<long>');
        else if (error instanceof BareLineEnding) heard.push('<bare>');
        else throw error;
      }
    }
  }
  return heard;
}

/** Reads all lines at once, by regular expressions. */
function readLines(input: string): string[] {
  const heard: string[] = [];
  for (let rest = input; rest !== ''; ) {
    const good = GOOD.exec(rest);
    if (good !== null) {
      heard.push(good[1] ?? '');
      rest = rest.slice(good[0].length);
      continue;
    }
    const bare = BARE.exec(rest);
    const bad = bare ?? LONG.exec(rest);
    if (bad === null) break;
    heard.push(bare === null ? '<long>' : '<bare>');
    const end = rest.indexOf('\r\n', bad[0].length);
    rest = end < 0 ? '' : rest.slice(end + 2);
  }
  return heard;
}

/** A short bound on a line's octets, so that inputs go over it often. */
const MAX_LINE = 6;
const GOOD = new RegExp(`^([^\\r\\n]{0,${MAX_LINE}})\\r\\n`);
const BARE = new RegExp(`^[^\\r\\n]{0,${MAX_LINE}}(\\n|\\r(?=[^\\n]))`);
const LONG = new RegExp(`^[^\\r\\n]{${MAX_LINE + 1}}`);

interface Unstuffed {
  readonly output: string;
  readonly rest: string;
  readonly ended: boolean;
  readonly bareLineEndings: boolean;
}

function unstuff(chunks: readonly Buffer[], unstuffer: DotUnstuffer | NormalizedMessage): Unstuffed {
  let output = '';
  let rest = '';
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length && !unstuffer.ended) {
      output += Buffer.from(unstuffer.next(chunk, at)).toString('latin1');
      at = unstuffer.consumed;
    }
    rest += chunk.toString('latin1', at);
  }
  same(unstuffer.summary.octets, output.length, 'octets are counted');
  return { output, rest, ended: unstuffer.ended, bareLineEndings: unstuffer.summary.bareLineEndings };
}

/**
 * Reads a whole message by regular expressions. Octets that may still become an end are held back.
 */
function readMessage(input: string): Unstuffed {
  const end = /(^|\r\n)\.\r\n/.exec(input);
  const data = end === null ? input : input.slice(0, end.index + (end[1] ?? '').length);
  const rest = end === null ? '' : input.slice(end.index + end[0].length);
  const held = end === null ? data.replace(/(^|\r\n)\.\r?$/, '$1') : data;
  const output = held.replace(/(^|\r\n)\./g, '$1');
  return { output, rest, ended: end !== null, bareLineEndings: /\r(?!\n|$)|(?<!\r)\n/.test(output) };
}

/** A CR at the end waits for its LF. */
function withCrlf(text: string): string {
  return text.replace(/\r\n|\r(?!$)|\n/g, '\r\n');
}

/** Returns what is sent; undefined for a message that must not be. */
function stuff(pieces: readonly Buffer[]): string | undefined {
  const stuffer = new MessageStuffer();
  try {
    const sent = pieces.map((piece) => Buffer.from(stuffer.push(piece)).toString('latin1')).join('');
    return sent + stuffer.end();
  } catch (error) {
    if (error instanceof BadMessage) return undefined;
    throw error;
  }
}
