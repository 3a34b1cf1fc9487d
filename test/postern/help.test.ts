import { describe, expect, it } from 'vitest';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { help } from '../../packages/postern/src/help.ts';
import { LOGIN_OPTIONS, SERVE_OPTIONS } from '../../packages/postern/src/option-table.ts';
import { USER_COMMANDS } from '../../packages/postern/src/user/user-commands.ts';
import { runInProcess } from '../support/in-process.ts';

const PAGES = ['serve', 'explain', 'login', 'user', 'listen', 'auth', 'deliver', 'access', 'recipients', 'servers'];

describe('the help', () => {
  it('has an overview that names every page', async () => {
    for (const page of PAGES) expect(await help()).toContain(page);
  });

  it.each([undefined, ...PAGES])('fits a screen of 40 lines and 110 columns: %s', async (page) => {
    const lines = (await help(page)).split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.length > 110)).toEqual([]);
  });

  it('has one line for each option of serve and login', async () => {
    for (const name of Object.keys(SERVE_OPTIONS))
      expect(await help('serve')).toMatch(new RegExp(`^  --${name} `, 'm'));
    for (const name of Object.keys(LOGIN_OPTIONS))
      expect(await help('login')).toMatch(new RegExp(`^  --${name} `, 'm'));
  });

  it('has one line for each command of user, and for each of its options', async () => {
    for (const [name, { options }] of Object.entries(USER_COMMANDS)) {
      expect(await help('user')).toMatch(new RegExp(`^  user ${name} `, 'm'));
      for (const option of Object.keys(options)) expect(await help('user')).toMatch(new RegExp(`^  --${option} `, 'm'));
    }
  });

  it('shows an example on each page', async () => {
    for (const page of PAGES) expect(await help(page)).toMatch(/^ {2}postern \w+ /m);
  });

  it('lists the forms of --auth, --deliver, --mailboxes and --back-end', async () => {
    for (const form of ['sqlite:PATH', 'file:PATH', 'memory:USER:PASSWORD', 'anonymous'])
      expect(await help('auth')).toContain(form);
    for (const form of ['console', 'discard', 'maildir:DIR']) expect(await help('deliver')).toContain(form);
    for (const form of ['maildir:DIR', 'imap://HOST:PORT', 'sieve+unix:PATH'])
      expect(await help('access')).toContain(form);
  });

  it('suggests the page for a misspelt name', async () => {
    await expect(help('lisen')).rejects.toThrow(UsageError);
    await expect(help('lisen')).rejects.toThrow('did you mean "listen"?');
    await expect(help('\u001b[31m')).rejects.toThrow('expected serve, explain');
  });

  it.each([
    [['--help'], undefined],
    [['-h'], undefined],
    [['help'], undefined],
    [['help', 'listen'], 'listen'],
    [['serve', '--help'], 'serve'],
    [['serve', '--deliver', 'discard', '--help'], 'serve'],
    [['login', '-h'], 'login'],
    [['explain', '--help'], 'explain'],
    [['user', 'add', '--help'], 'user'],
  ])('is the output of postern %j', async (argv, page) => {
    expect(await runInProcess(argv)).toEqual({ code: 0, output: await help(page) });
  });
});
