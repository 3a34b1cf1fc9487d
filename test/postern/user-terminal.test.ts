import { PassThrough, Writable } from 'node:stream';
import { totpCode } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { run } from '../../packages/postern/src/main.ts';
import { Output } from '../support/output.ts';
import { words } from '../support/program.ts';
import { TestUserDatabase } from '../support/user-database.ts';

/** `postern user` at a terminal, where an operator reads and types. */
class OperatedCommand {
  readonly #screen = new Output();
  readonly #stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;

  constructor(site: TestUserDatabase, args: readonly string[]) {
    const writer = () =>
      Object.assign(
        new Writable({
          write: (chunk: Buffer, _encoding, done) => {
            this.#screen.append(chunk.toString());
            done();
          },
        }),
        { isTTY: true },
      );
    this.ended = run(['user', ...args, '--db', site.spec], {
      stdin: this.#stdin,
      stdout: writer(),
      stderr: writer(),
      env: {},
      ppid: 1,
      on: () => {},
      exit: () => {},
    }).finally(() => this.#screen.end('the command ended'));
  }

  /** The text that the operator has seen. */
  get screen(): string {
    return this.#screen.text;
  }

  /** Waits until the question is there `times` times, and types the answer with its last key. */
  async answer(question: RegExp, keys: string, times = 1): Promise<void> {
    await this.#screen.said(question, times);
    this.#stdin.write(keys);
  }
}

describe('at a terminal', () => {
  it('postern user add asks for a password twice, and shows neither', async () => {
    using site = new TestUserDatabase();
    const command = new OperatedCommand(site, words`add joe`);
    await command.answer(/New password of joe: $/, 'correct horse\r');
    await command.answer(/The same again: $/, 'correct horse\r');
    expect(await command.ended).toBe(0);
    expect(command.screen).toContain('added joe (argon2id, SCRAM-SHA-256)');
    expect(command.screen).not.toContain('correct');
  });

  it.each([
    ['two passwords that differ', 'wrong horse\r', 'the two passwords differ, and nothing has changed'],
    ['Ctrl-C', '\u0003', 'cancelled, and nothing has changed'],
    ['the end of the input', '\u0004', 'cancelled, and nothing has changed'],
  ])('postern user add adds no user after %s', async (_event, keys, message) => {
    using site = new TestUserDatabase();
    const command = new OperatedCommand(site, words`add joe`);
    await command.answer(/New password of joe: $/, 'correct horse\r');
    await command.answer(/The same again: $/, keys);
    expect(await command.ended).toBe(1);
    expect(command.screen).toMatch(new RegExp(`\npostern: ${message}\n$`));
    expect(await site.expect(words`list --json`)).toBe('');
  });

  it.each([
    ['y\r', 0, ''],
    ['n\r', 1, '"name":"joe"'],
    ['\r', 1, '"name":"joe"'],
    ['\u0003', 1, '"name":"joe"'],
  ])('postern user remove asks first: %j ends with %d', async (keys, code, left) => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const command = new OperatedCommand(site, words`remove Joe`);
    await command.answer(/Remove joe from sqlite:\S+\? \[y\/N\] /, keys);
    expect(await command.ended).toBe(code);
    expect(await site.expect(words`list --json`)).toContain(left);
  });

  it('postern user totp shows a QR code, and stores the secret after a right code', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const command = new OperatedCommand(site, words`totp joe --issuer mail.example.com`);
    await command.answer(/The code that the app shows: /, 'no code\r');
    expect(command.screen).toMatch(/^\u001b\[30;107m +\u001b\[0m\n/);
    const [, secret = ''] = /otpauth:\/\/totp\/mail\.example\.com:joe\?secret=([A-Z2-7]+)&/.exec(command.screen) ?? [];
    expect(await site.show('joe')).toMatchObject({ secondFactor: null });
    await command.answer(/The code that the app shows: /, `${totpCode({ secret })}\r`, 2);
    expect(await command.ended).toBe(0);
    expect(command.screen).toContain('this is not the code');
    expect(await site.show('joe')).toMatchObject({ secondFactor: 'totp' });
    expect(await site.expect(words`totp joe --remove`)).toBe('removed the second factor of joe\n');
    expect(await site.show('joe')).toMatchObject({ secondFactor: null });
  });

  it('postern user totp keeps a second factor that is added meanwhile', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const command = new OperatedCommand(site, words`totp joe`);
    await command.answer(/The code that the app shows: /, 'abc\r');
    await site.expect(words`totp joe --no-confirm`);
    const [, secret = ''] = /secret=([A-Z2-7]+)&/.exec(command.screen) ?? [];
    await command.answer(/The code that the app shows: /, `${totpCode({ secret })}\r`, 2);
    expect(await command.ended).toBe(1);
    expect(command.screen).toContain('"joe" has a second factor already; --remove removes it');
  });

  it('postern user totp stores nothing after three wrong codes', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const command = new OperatedCommand(site, words`totp joe`);
    for (const times of [1, 2, 3]) await command.answer(/The code that the app shows: /, 'abc\r', times);
    expect(await command.ended).toBe(1);
    expect(command.screen).toContain('3 wrong codes, and nothing has changed');
    expect(await site.show('joe')).toMatchObject({ secondFactor: null });
  });
});

describe('without a terminal', () => {
  it('postern user totp needs --no-confirm, and prints no QR code', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    expect(await site.user(words`totp joe`)).toEqual({
      code: 2,
      output: 'postern: --no-confirm: expected where no terminal can ask for a first code\n',
    });
    expect(await site.expect(words`totp joe --no-confirm`)).toMatch(/^otpauth:\/\/totp\/\S+\nadded the second factor/);
    expect(await site.user(words`totp joe --no-confirm`)).toEqual({
      code: 1,
      output: 'postern: "joe" has a second factor already; --remove removes it\n',
    });
  });
});
