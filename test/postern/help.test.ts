import { describe, expect, it } from 'vitest';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { help } from '../../packages/postern/src/help.ts';
import { LOGIN_OPTIONS, SERVE_OPTIONS } from '../../packages/postern/src/option-table.ts';
import { USER_COMMANDS } from '../../packages/postern/src/user/user-commands.ts';
import { runInProcess } from '../support/in-process.ts';

const PAGES = ['serve', 'explain', 'login', 'user', 'listen', 'auth', 'deliver'];

describe('the help', () => {
  it('has an overview that names every page', () => {
    for (const page of PAGES) expect(help()).toContain(page);
  });

  it.each([undefined, ...PAGES])('fits a screen of 40 lines and 110 columns: %s', (page) => {
    const lines = help(page).split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.length > 110)).toEqual([]);
  });

  it('has one line for each option of serve and login', () => {
    for (const name of Object.keys(SERVE_OPTIONS)) expect(help('serve')).toMatch(new RegExp(`^  --${name} `, 'm'));
    for (const name of Object.keys(LOGIN_OPTIONS)) expect(help('login')).toMatch(new RegExp(`^  --${name} `, 'm'));
  });

  it('has one line for each command of user, and for each of its options', () => {
    for (const [name, { options }] of Object.entries(USER_COMMANDS)) {
      expect(help('user')).toMatch(new RegExp(`^  user ${name} `, 'm'));
      for (const option of Object.keys(options)) expect(help('user')).toMatch(new RegExp(`^  --${option} `, 'm'));
    }
  });

  it('shows an example on each page', () => {
    for (const page of PAGES) expect(help(page)).toMatch(/^ {2}postern \w+ /m);
  });

  it('lists the forms of --auth and --deliver', () => {
    for (const form of ['sqlite:PATH', 'file:PATH', 'memory:USER:PASSWORD', 'anonymous'])
      expect(help('auth')).toContain(form);
    for (const form of ['console', 'discard', 'maildir:DIR']) expect(help('deliver')).toContain(form);
  });

  it('suggests the page for a misspelt name', () => {
    expect(() => help('lisen')).toThrow(UsageError);
    expect(() => help('lisen')).toThrow('did you mean "listen"?');
    expect(() => help('\u001b[31m')).toThrow('expected serve, explain');
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
    expect(await runInProcess(argv)).toEqual({ code: 0, output: help(page) });
  });
});
