import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, expect, it } from 'vitest';
import { startActivated } from '../support/activated.ts';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { BIN } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestUserDatabase } from '../support/user-database.ts';

const UNITS = ['postern.service', 'postern-auth.socket', 'postern-submission.socket'] as const;
const AUTH_PATH = '/var/spool/postfix/private/postern-auth';

describe('the recipe docs/recipes/systemd.md', () => {
  it.skipIf(skips('systemd-analyze', 'systemd'))('has units without an error', async () => {
    using folder = temporaryFolder('systemd');
    const paths = UNITS.map((name) => join(folder.path, name));
    for (const [index, path] of paths.entries()) {
      const unit = unitOf(UNITS[index] ?? expect.unreachable());
      writeFileSync(path, unit.replace('/usr/bin/postern ', `${execPath} ${BIN} `));
    }
    // systemd finds the units of each other in the same folder.
    const verified = await run('systemd-analyze', ['verify', ...paths]);
    expect(verified).toEqual({ code: 0, output: '' });
  });

  it.skipIf(skips('python3', 'python3'))('starts a server that uses the sockets of the units', async () => {
    using folder = temporaryFolder('systemd');
    const port = String(await freePort());
    const path = join(folder.path, 'postern-auth');
    using users = new TestUserDatabase();
    await users.expect(words`add ann --generate`);
    const [program, ...args] = replaceEach(settingOf(unitOf('postern.service'), 'ExecStart'), {
      [AUTH_PATH]: path,
      'sqlite:/var/lib/postern/users.db': users.spec,
    }).split(' ');
    expect([program, args.shift()]).toEqual(['/usr/bin/postern', 'serve']);
    const listen = replaceEach('--listen smtp://*:587 --deliver discard', { '587': port }).split(' ');
    const [auth, submission] = [unitOf('postern-auth.socket'), unitOf('postern-submission.socket')];
    const sockets = [
      `${settingOf(auth, 'FileDescriptorName')}=unix:${replaceEach(settingOf(auth, 'ListenStream'), { [AUTH_PATH]: path })}`,
      `${settingOf(submission, 'FileDescriptorName')}=tcp:${replaceEach(settingOf(submission, 'ListenStream'), { '587': port })}`,
    ];
    await using postern = await startActivated(sockets, [...args, ...listen]);
    using smtpd = new LineClient(connect(path));
    expect(await smtpd.hear(/^[^\n]*\n/)).toMatch(/^VERSION\t1\t/);
    using client = new LineClient(connect(Number(port), '127.0.0.1'));
    expect(await client.hear()).toMatch(/^220 /);
    expect(postern.output()).not.toContain('no listener uses');
  });
});

function unitOf(name: (typeof UNITS)[number]): string {
  return recipeFile('systemd', `/etc/systemd/system/${name}`);
}

/** Returns the value of a setting that occurs once. */
function settingOf(unit: string, key: string): string {
  const [value, ...more] = Array.from(unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, text]) => text);
  if (value === undefined || more.length > 0) throw new Error(`the unit has no ${key}=, or several`);
  return value;
}
