import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../support/in-process.ts';
import { words } from '../support/program.ts';
import { TestUserDatabase } from '../support/user-database.ts';

describe('postern user add', () => {
  it('stores a hash and a SCRAM secret of the password on the standard input, and prints neither', async () => {
    using site = new TestUserDatabase();
    expect(await site.user(words`add joe`, 'correct horse\n')).toEqual({
      code: 0,
      output: `added joe (argon2id, SCRAM-SHA-256) to ${site.spec}\n`,
    });
    expect(await site.show('JOE')).toEqual({
      name: 'joe',
      state: 'enabled',
      schemes: ['argon2id', 'SCRAM-SHA-256'],
      scopes: null,
      expires: null,
      secondFactor: null,
      appPasswords: [],
    });
  });

  it('prints a random password once with --generate', async () => {
    using site = new TestUserDatabase();
    const output = await site.expect(words`add joe --generate`);
    const [, password = ''] = /^The password is (\S+)$/m.exec(output) ?? [];
    expect(password).toMatch(/^([a-z]{5}-){5}[a-z]{5}$/);
    expect(await site.expect(words`show joe`)).not.toContain(password);
  });

  it('keeps --expires, --scopes and --must-change', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate --expires 2099-12-31 --scopes smtp,IMAP,managesieve --must-change`);
    expect(await site.show('joe')).toMatchObject({
      state: 'must-change',
      expires: '2099-12-31T00:00:00.000Z',
      scopes: ['smtp', 'imap', 'managesieve'],
    });
  });

  it('warns of a password that can be guessed, and stores it', async () => {
    using site = new TestUserDatabase();
    const { code, output } = await site.user(words`add joe`, 'short\n');
    expect(output).toContain('an attacker can guess this password');
    expect(output).toContain('added joe');
    expect(code).toBe(0);
  });

  it('refuses a second user of the name in other letters, before it asks for a password', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    expect(await site.user(words`add JOE`)).toEqual({
      code: 1,
      output: `postern: there is a user "joe" in ${site.spec} already; postern user password sets a new password\n`,
    });
  });

  it.each([
    ['', 'the standard input: expected the password on one line, or --generate'],
    ['\n', 'the password: expected 1 to 4,096 octets, without NUL'],
    ['a\0b\n', 'the password: expected 1 to 4,096 octets, without NUL'],
  ])('refuses the password %j', async (input, message) => {
    using site = new TestUserDatabase();
    expect(await site.user(words`add joe`, input)).toEqual({ code: 2, output: `postern: ${message}\n` });
    expect(await site.expect(words`list --json`)).toBe('');
  });

  it('stores a password that SASLprep refuses as it is', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe`, 'tab\tand bell\u0007\n');
  });
});

describe('postern user', () => {
  it.each([
    [[], 'user: no command: expected add, list, show'],
    [['ad'], 'user: unknown command "ad": expected add'],
    [['ad'], 'did you mean "add"?'],
    [['app-password'], 'user: unknown command "app-password": expected app-password add, app-password list'],
    [['add'], 'user add: expected NAME, such as postern user add joe'],
    [['list', 'joe'], 'user list: expected options only'],
    [['add', 'joe', 'hunter2'], 'A password is no argument, since every user of the machine can read it there'],
    [['add', 'joe:hunter2'], 'A password is no argument'],
    [['add', 'joe', '--password', 'hunter2'], 'A password is no argument'],
    [['add', 'joe', '--password=hunter2'], 'A password is no argument'],
    [['password', 'joe', 'hunter2'], 'A password is no argument'],
    [['add', 'a\u0007'], 'NAME: expected a user name without control characters'],
    [['add', 'joe', '--expires', 'tomorrow'], '--expires: expected a date such as 2027-01-31'],
    [['add', 'joe', '--expires', '2027-02-31'], '--expires: expected a date such as 2027-01-31'],
    [['add', 'joe', '--scopes', 'stmp'], 'not "stmp"; did you mean "smtp"?'],
    [['add', 'joe', '--scopes', ','], '--scopes: expected all, or some of smtp, lmtp, pop3, imap, managesieve, http'],
    [['add', 'joe', '--genrate'], 'did you mean "--generate"?'],
    [['set', 'joe'], 'expected --expires, --scopes, --must-change or --no-must-change'],
    [['import', 'x', '--format', 'htpaswd'], '--format: expected htpasswd or passwd-file or shadow; did you mean'],
  ])('%j ends with 2, and names what is expected', async (args, message) => {
    using site = new TestUserDatabase();
    const { code, output } = await site.user(args);
    expect(output).toMatch(/^postern: [^\n]*\n$/);
    expect(output).toContain(message);
    expect(output).not.toContain('hunter2');
    expect(code).toBe(2);
  });

  it.each([
    ['oracle:x', '--db: expected sqlite:PATH or file:PATH or postgres://USER@HOST/DB'],
    ['sqlite:', '--db: expected sqlite:PATH, such as'],
    ['postgres:db', '--db: expected postgres://USER@HOST/DATABASE'],
    ['file:x?format=csv', '--db: expected ?format=htpasswd|passwd-file|shadow'],
    ['postgres://db/mail?password=env:POSTERN_TEST_NO_SUCH', '--db: password: env:POSTERN_TEST_NO_SUCH: expected'],
  ])('--db %s ends with 2', async (spec, message) => {
    const { code, output } = await runInProcess(['user', 'list', '--db', spec]);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });

  it('creates no database but with add and import', async () => {
    using site = new TestUserDatabase();
    expect(await site.user(words`list`)).toEqual({
      code: 1,
      output: `postern: there is no database ${site.spec}: postern user add NAME creates it, and --db names another\n`,
    });
    expect(existsSync(join(site.path, 'users.db'))).toBe(false);
  });

  it('names a user with a similar name', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joseph --generate`);
    for (const args of [words`show josef`, words`disable josef`, words`password josef --generate`]) {
      expect(await site.user(args)).toEqual({
        code: 1,
        output: `postern: there is no user "josef" in ${site.spec}; did you mean "joseph"?\n`,
      });
    }
  });
});

describe('postern user list and show', () => {
  it('prints a table of all users in the order of their names', async () => {
    using site = new TestUserDatabase();
    expect(await site.expect(words`add joe --generate`)).toContain('added');
    await site.expect(words`add Ann --generate --scopes smtp --expires 2020-01-01`);
    await site.expect(words`disable joe`);
    expect(await site.expect(words`list`)).toBe(
      [
        'NAME  STATE     SCHEMES                  SCOPES  EXPIRES                   SECOND FACTOR  APP PASSWORDS',
        'Ann   expired   argon2id, SCRAM-SHA-256  smtp    2020-01-01T00:00:00.000Z  none           none',
        'joe   disabled  argon2id, SCRAM-SHA-256  all     never                     none           none',
        '',
      ].join('\n'),
    );
    expect(await site.expect(words`show Ann`)).toContain('state          expired\n');
  });

  it('prints one JSON object a line, which controls no terminal', async () => {
    using site = new TestUserDatabase();
    await site.expect(['add', 'j\u00f6e', '--generate']);
    await site.expect(words`add ann --generate`);
    const lines = (await site.expect(words`list --json`)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(['ann', 'j\u00f6e']);
  });
});

describe('postern user set, disable, enable, password and remove', () => {
  it('change what they name, and nothing else', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate --scopes smtp`);
    await site.expect(words`set joe --expires 2099-01-31T18:00Z --must-change`);
    expect(await site.show('joe')).toMatchObject({
      state: 'must-change',
      expires: '2099-01-31T18:00:00.000Z',
      scopes: ['smtp'],
    });
    expect(await site.expect(words`password joe --generate`)).toContain('set the password of joe\nThe password is ');
    expect(await site.show('joe')).toMatchObject({ state: 'enabled', scopes: ['smtp'] });
    await site.expect(words`set joe --expires never --scopes all`);
    expect(await site.show('joe')).toMatchObject({ expires: null, scopes: null });
    await site.expect(words`disable joe`);
    expect(await site.show('joe')).toMatchObject({ state: 'disabled' });
    expect(await site.expect(words`enable Joe`)).toBe('enabled joe\n');
    expect(await site.show('joe')).toMatchObject({ state: 'enabled' });
  });

  it('removes a user without a terminal only with --yes', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    expect(await site.user(words`remove joe`)).toEqual({
      code: 2,
      output: 'postern: --yes: expected where no terminal can answer\n',
    });
    expect(await site.expect(words`remove JOE --yes`)).toBe('removed joe\n');
    expect(await site.expect(words`list --json`)).toBe('');
  });
});

describe('postern user app-password', () => {
  it('prints a new password once, lists it without secrets, and removes it', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const output = await site.expect(words`app-password add joe phone --scopes imap --expires 2099-01-01`);
    const [, password = ''] = /^The password is (\S+)$/m.exec(output) ?? [];
    expect(password).toMatch(/^([a-z]{5}-){5}[a-z]{5}$/);
    expect(JSON.parse(await site.expect(words`app-password list joe --json`))).toEqual({
      name: 'phone',
      schemes: ['ssha512'],
      scopes: ['imap'],
      expires: '2099-01-01T00:00:00.000Z',
      lastUsed: null,
    });
    expect(await site.expect(words`show joe`)).toContain('app password   phone (for imap; expires 2099');
    expect(await site.user(words`app-password add joe phone`)).toEqual({
      code: 1,
      output: expect.stringContaining('"joe" has an application password "phone" already'),
    });
    expect(await site.user(words`app-password remove joe phon`)).toEqual({
      code: 1,
      output: 'postern: "joe" has no application password "phon"; there is phone; did you mean "phone"?\n',
    });
    await site.expect(words`app-password remove joe phone`);
    expect(await site.expect(words`app-password list joe`)).toBe('LABEL  SCOPES  EXPIRES  LAST USED\n');
  });
});

describe('postern user --db file:', () => {
  it('lists and shows the users of a file, and edits none', async () => {
    using site = new TestUserDatabase();
    const path = join(site.path, 'users');
    writeFileSync(path, 'joe:{PLAIN}s3cret\n');
    const user = (args: readonly string[]) => runInProcess(['user', ...args, '--db', `file:${path}`]);
    expect(await user(words`list --json`)).toMatchObject({ code: 0, output: expect.stringContaining('"name":"joe"') });
    expect(await user(words`show Joe`)).toMatchObject({ code: 0, output: expect.stringContaining('clear text') });
    for (const args of [
      words`add ann --generate`,
      words`password joe`,
      words`disable joe`,
      words`totp joe --no-confirm`,
    ]) {
      const { code, output } = await user(args);
      expect(output).toMatch(/^postern: file:\S+ is read-only: edit the file itself, or expected --db sqlite:PATH/);
      expect(code).toBe(2);
    }
  });
});
