import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { words } from '../support/program.ts';
import { TestUserDatabase } from '../support/user-database.ts';

/** Writes lines into a file of the database's folder. Returns its path. */
function file(site: TestUserDatabase, name: string, ...lines: readonly string[]): string {
  const path = join(site.path, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

describe('postern user import', () => {
  it('takes an htpasswd file with the hashes as they are, so that its users log in at once', async () => {
    using site = new TestUserDatabase();
    const path = file(site, 'htpasswd', `ann:${BCRYPT}`, `bob:${SHA512_CRYPT}`);
    expect(await site.user(words`import ${path}`)).toEqual({
      code: 0,
      output: [
        `added 2 users to ${site.spec}`,
        '2 users have no SCRAM secret yet: they get one at the first login with PLAIN or LOGIN',
        '',
      ].join('\n'),
    });
    await using server = await startInProcess(...words`--listen smtp://127.0.0.1:0 --auth ${site.spec} --log silent`);
    const url = `smtp://127.0.0.1:${server.urls[0]?.port}?tls=none`;
    for (const user of ['ann', 'bob']) {
      expect(await runInProcess(words`login ${url} --user ${user}`, 's3cret\n')).toMatchObject({ code: 0 });
      expect(await runInProcess(words`login ${url} --user ${user}`, 'wrong\n')).toMatchObject({ code: 1 });
    }
  });

  it('reports each line that it cannot take, and why, and ends with 1', async () => {
    using site = new TestUserDatabase();
    const path = file(
      site,
      'htpasswd',
      `ann:${BCRYPT}`,
      'bob',
      'eve:$9$unknown',
      `ANN:${SHA512_CRYPT}`,
      'kim:*0',
      `dan:${BCRYPT.slice(0, 40)}`,
    );
    const { code, output } = await site.user(words`import ${path} --format htpasswd`);
    expect(output).toContain(`${path}:2: not taken: has no ":"`);
    expect(output).toContain(`${path}:3: eve: not taken: `);
    expect(output).toContain(`${path}:4: ANN: not taken: is on line 1 also`);
    expect(output).toContain(`${path}:5: kim: `);
    expect(output).toContain(`${path}:6: dan: not taken: `);
    expect(output).toContain(`added 2 users to ${site.spec}, 4 not taken\n`);
    expect(output).not.toContain(BCRYPT.slice(0, 40));
    expect(code).toBe(1);
    expect((await site.expect(words`list --json`)).match(/"name":"\w+"/g)).toEqual(['"name":"ann"', '"name":"kim"']);
  });

  it('leaves existing users as they are, and names them', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add Ann --generate`);
    const path = file(site, 'users', `ann:{SHA512-CRYPT}${SHA512_CRYPT}`, `bob:{BLF-CRYPT}${BCRYPT}`);
    expect(await site.user(words`import ${path}`)).toEqual({
      code: 1,
      output: [
        `${path}: ann: is in ${site.spec} already, and stays as it is`,
        `added 1 user to ${site.spec}, 1 existed already`,
        '1 user has no SCRAM secret yet: the user gets one at the first login with PLAIN or LOGIN',
        '',
      ].join('\n'),
    });
    expect(await site.show('ann')).toMatchObject({ name: 'Ann', schemes: ['argon2id', 'SCRAM-SHA-256'] });
  });

  it('takes a shadow file, with locked and expired users', async () => {
    using site = new TestUserDatabase();
    const path = file(site, 'shadow', `ann:${SHA512_CRYPT}:20000:0:99999:7::1:`, 'bob:!:20000:0:99999:7:::');
    const { code } = await site.user(words`import ${path}`);
    expect(code).toBe(0);
    expect(await site.show('ann')).toMatchObject({ state: 'expired', expires: '1970-01-02T00:00:00.000Z' });
    expect(await site.show('bob')).toMatchObject({ schemes: [] });
  });

  it('takes weak hashes only with --allow-weak', async () => {
    using site = new TestUserDatabase();
    const path = file(site, 'passwd', `ann:${MD5}`);
    const refused = await site.user(words`import ${path}`);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('ann: not taken: ') });
    expect(refused.output).toContain('the weak scheme PLAIN-MD5');
    expect(await site.expect(words`import ${path} --allow-weak`)).toContain(`added 1 user to ${site.spec}\n`);
    expect(await site.show('ann')).toMatchObject({ schemes: ['md5'] });
  });

  it('changes nothing with --dry-run, and creates no database', async () => {
    using site = new TestUserDatabase();
    const path = file(site, 'htpasswd', `ann:${BCRYPT}`);
    expect(await site.expect(words`import ${path} --dry-run`)).toContain(`would add 1 user to ${site.spec}\n`);
    expect((await site.user(words`list`)).output).toContain('there is no database');
  });

  it('asks for the format where the content does not show it, and reports a file that it cannot read', async () => {
    using site = new TestUserDatabase();
    const path = file(site, 'empty');
    expect(await site.user(words`import ${path}`)).toEqual({
      code: 1,
      output: `postern: ${path}: the format is not clear: expected --format htpasswd or passwd-file or shadow\n`,
    });
    for (const more of [[], words`--format shadow`]) {
      expect(await site.user([...words`import ${path}.none`, ...more])).toEqual({
        code: 1,
        output: expect.stringMatching(/^postern: cannot read \S+empty\.none: ENOENT/),
      });
    }
  });
});

/** Of doveadm pw -s PLAIN-MD5. */
const MD5 = '{PLAIN-MD5}33e1b232a4e6fa0028a6670753749a17';

/** Of htpasswd -nbB -C 4, and of mkpasswd -m sha-512: the password is s3cret. */
const BCRYPT = '$2y$04$GCBklPs/NjmKTvtkQqoCBuM0a.Z9pf.Mx5YuJAqloXuRVNHzu./p.';
const SHA512_CRYPT =
  '$6$rounds=1000$abcdefgh$ts4PqiFqgcN.cen3rF2HotwlQFHljTDeZHA69IhA7TtTfn/oFv0Y/zIU4T41fwzuaPKS2Ob9Piytfd1X44pUw/';
