import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Terminal } from '../../packages/postern/src/terminal.ts';

/** A terminal of an operator who types the answers, and the text that the operator sees. */
function typing() {
  let seen = '';
  let isRaw = false;
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      isRaw = raw;
    },
  });
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      seen += chunk.toString();
      done();
    },
  });
  const terminal = new Terminal({ stdin, stderr });
  return { terminal, stdin, seen: () => seen, isRaw: () => isRaw };
}

function piped(...chunks: readonly (string | Buffer)[]): Terminal {
  const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Terminal({ stdin: Readable.from(chunks.map((chunk) => Buffer.from(chunk))), stderr });
}

describe('a terminal', () => {
  it('shows no answer to a question for a secret, and every other answer', async () => {
    const { terminal, stdin, seen, isRaw } = typing();
    const secret = terminal.askSecret('Password: ');
    expect(isRaw()).toBe(true);
    stdin.write('hunter2\r');
    expect(await secret).toBe('hunter2');
    expect(seen()).toBe('Password: \n');
    const answer = terminal.ask('Code: ');
    stdin.write('123456\r');
    expect(await answer).toBe('123456');
    expect(seen()).toContain('123456');
    expect(seen()).not.toContain('hunter2');
    terminal[Symbol.dispose]();
    expect(isRaw()).toBe(false);
  });

  it('enters no earlier answer for the key that goes back in a history', async () => {
    const { terminal, stdin } = typing();
    using _ = terminal;
    const first = terminal.askSecret('Password: ');
    stdin.write('hunter2\r');
    await first;
    const second = terminal.askSecret('Again: ');
    stdin.write('\u001b[A\r');
    expect(await second).toBe('');
  });

  it('takes two answers of one paste', async () => {
    const { terminal, stdin } = typing();
    using _ = terminal;
    const first = terminal.askSecret('Password: ');
    stdin.write('hunter2\rhunter2\r');
    expect([await first, await terminal.askSecret('Again: ')]).toEqual(['hunter2', 'hunter2']);
  });

  it.each([
    ['Ctrl-C', 'hunt\u0003'],
    ['the end of the input', '\u0004'],
  ])('returns undefined at %s, and leaves raw mode', async (_key, typed) => {
    const { terminal, stdin, seen, isRaw } = typing();
    const answer = terminal.askSecret('Password: ');
    stdin.write(typed);
    expect(await answer).toBeUndefined();
    expect(seen()).toBe('Password: \n');
    expect(isRaw()).toBe(false);
    terminal[Symbol.dispose]();
  });
});

describe('an input that is no terminal', () => {
  it.each([
    [['s3cret\nmore\n'], 's3cret'],
    [['s3c', 'ret\r\n'], 's3cret'],
    [['s3cret'], 's3cret'],
    [['\n'], ''],
    [[Buffer.from('pä'), 'ss\n'], 'päss'],
    [[], undefined],
  ])('gives its first line: %j', async (chunks, line) => {
    expect(await piped(...chunks).askSecret('')).toBe(line);
  });

  it('gives line after line', async () => {
    const terminal = piped('one\ntwo\n');
    expect([await terminal.ask(''), await terminal.ask(''), await terminal.ask('')]).toEqual(['one', 'two', undefined]);
  });

  it.each([
    ['without an end', Buffer.alloc(9_000, 'x')],
    ['that is long', `${'x'.repeat(9_000)}\n`],
  ])('is refused for a line %s', async (_kind, text) => {
    await expect(piped(text).askSecret('')).rejects.toThrow('expected a line of at most 8192 octets');
  });

  it('is refused if it is no UTF-8', async () => {
    await expect(piped(Buffer.from([0xff, 0x0a])).askSecret('')).rejects.toThrow('UTF-8');
  });
});
