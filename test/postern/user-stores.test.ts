import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess, startInEnvironment, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import type { ServingPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestUserDatabase } from '../support/user-database.ts';

const ANY_PORT = words`--listen smtp://127.0.0.1:0`;

/** Logs in with `postern login`. Resolves to its exit code and output. */
function logIn({ urls: [url] }: ServingPostern, user: string, password: string, ...more: readonly string[]) {
  return runInProcess(['login', `smtp://127.0.0.1:${url?.port}?tls=none`, '--user', user, ...more], `${password}\n`);
}

describe('postern serve --auth sqlite:', () => {
  it('lets users in by every mechanism for which all have a secret', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe`, 'correct horse\n');
    await using server = await startInProcess(...ANY_PORT, ...words`--auth ${site.spec} --log json`);
    expect(await logIn(server, 'JOE', 'correct horse')).toMatchObject({
      code: 0,
      output: expect.stringContaining('logged in as JOE with SCRAM-SHA-256 '),
    });
    expect(await logIn(server, 'joe', 'correct horse', '--mechanism', 'PLAIN')).toMatchObject({ code: 0 });
    expect(await logIn(server, 'joe', 'wrong', '--mechanism', 'PLAIN')).toMatchObject({ code: 1 });
    expect(await logIn(server, 'ann', 'correct horse')).toMatchObject({ code: 1 });
    await server.said(/"user":"joe"/);
    expect(server.output()).not.toMatch(/correct horse|argon2id|SCRAM-SHA-256\$/);
  });

  it('gives an unknown user the same salt after a restart, by the server key in the database', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const salts = [];
    for (const more of [[], [], words`--scram-key ${join(site.path, 'scram.key')}`]) {
      await using server = await startInProcess(...ANY_PORT, ...words`--auth ${site.spec} --log silent`, ...more);
      salts.push(await saltOf('nobody', server));
    }
    expect(salts[0]).toMatch(/^[\w+/]{22}==$/);
    expect(salts[1]).toBe(salts[0]);
    expect(salts[2]).not.toBe(salts[0]);
    expect(readdirSync(site.path)).not.toContain('users.db.scram-key');
  });

  it('sees a change of postern user without a restart', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe`, 'correct horse\n');
    await using server = await startInProcess(...ANY_PORT, ...words`--auth ${site.spec} --log pretty`);
    await site.expect(words`disable joe`);
    expect(await logIn(server, 'joe', 'correct horse', '--mechanism', 'PLAIN')).toMatchObject({ code: 1 });
    await site.expect(words`enable joe`);
    expect(await logIn(server, 'joe', 'correct horse', '--mechanism', 'PLAIN')).toMatchObject({ code: 0 });
  });

  it('accepts recipients that are users', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add ann@example.com --generate`);
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?service=mx --auth ${site.spec} --log silent`,
      ...words`--recipients users --domains example.com --deliver discard`,
    );
    using client = new LineClient(connect({ host: '127.0.0.1', port: Number(server.urls[0]?.port) }));
    await client.hear();
    await client.say('EHLO client.example.com');
    expect(await client.say('MAIL FROM:<bob@example.net>')).toMatch(/^250 /);
    expect(await client.say('RCPT TO:<Ann@example.com>')).toMatch(/^250 /);
    expect(await client.say('RCPT TO:<eve@example.com>')).toMatch(/^550 5\.1\.1 /);
  });

  it('reports a file that is no database in one sentence', async () => {
    expect(await runInProcess(words`serve --auth sqlite:${import.meta.filename}`)).toEqual({
      code: 1,
      output: expect.stringMatching(/^postern: cannot open sqlite:[^\n]*user-stores.test.ts: [^\n]*\n$/),
    });
  });
});

describe('users: { allowWeak: true } in the config file', () => {
  it('lets the users of a file in by weak hashes', async () => {
    using folder = temporaryFolder('weak');
    const users = join(folder.path, 'passwd');
    const config = join(folder.path, 'postern.config.mjs');
    // doveadm pw -s PLAIN-MD5 -p s3cret
    writeFileSync(users, 'joe:{PLAIN-MD5}33e1b232a4e6fa0028a6670753749a17\n');
    writeFileSync(config, `export default { auth: ['file:${users}'], users: { allowWeak: true } };`);
    const { output } = await runInProcess(words`explain --config ${config}`);
    expect(output).not.toContain('cannot be used');
    await using server = await startInProcess(...ANY_PORT, ...words`--config ${config} --log pretty`);
    expect(await logIn(server, 'joe', 's3cret')).toMatchObject({ code: 0 });
    expect(await logIn(server, 'joe', 'wrong')).toMatchObject({ code: 1 });
    expect(server.output()).not.toContain('a user store has a fault');
  });
});

describe('postern explain', () => {
  it('counts the users because of which a mechanism is not offered', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    await site.expect(words`add ann --generate`);
    await site.expect(words`totp ann --no-confirm`);
    await site.expect(words`add bob --generate`);
    await site.expect(words`disable bob`);
    const { output } = await runInProcess(words`explain --auth ${site.spec}`);
    expect(output).toContain(
      [
        `users of ${site.spec}:`,
        '  3 users',
        '  1 is disabled',
        '  1 has a second factor, so that only PLAIN and LOGIN are offered',
        '  judged by this store: UsernamePassword',
        '',
      ].join('\n'),
    );
  });

  it('says how to offer SCRAM to the users of a file, which keeps no server key', async () => {
    using folder = temporaryFolder('explain');
    const path = join(folder.path, 'users');
    writeFileSync(path, `joe:{SCRAM-SHA-256}${SCRAM_RECORD}\n`);
    const args = words`explain --auth file:${path}?format=passwd-file`;
    const hint = 'SCRAM is not offered without a server key that outlives the process: add --scram-key FILE\n';
    expect((await runInProcess(args)).output).toContain(hint);
    const withKey = await runInProcess([...args, ...words`--scram-key ${join(folder.path, 'key')}`]);
    expect(withKey.output).not.toContain(hint);
    expect(withKey.output).toContain('judged by this store: UsernamePassword, ScramSha256Credentials\n');
    writeFileSync(path, 'joe:$2y$04$GCBklPs/NjmKTvtkQqoCBuM0a.Z9pf.Mx5YuJAqloXuRVNHzu./p.\n');
    const { output } = await runInProcess(args);
    expect(output).not.toContain(hint);
    expect(output).toContain('1 has no SCRAM secret, so that SCRAM is not offered; this store keeps no new secrets\n');
  });
});

describe.skipIf(skips('curl', 'curl'))('postern serve --demo', () => {
  it('creates the database once, and prints a line that delivers when pasted', async () => {
    using folder = temporaryFolder('demo');
    const env = { POSTERN_DB: `sqlite:${join(folder.path, 'postern.db')}` };
    const args = [...ANY_PORT, ...words`--demo --log silent`];
    const first = await startInEnvironment(env, ...args);
    await first.said(/^users: sqlite:.*postern\.db \(kept for the next start\)$/m);
    const [line = ''] = /^printf .* curl .*$/m.exec(first.output()) ?? [];
    expect(await run('sh', ['-c', line])).toEqual({ code: 0, output: '' });
    await first.said(/sent by demo\n/);
    const [, password = ''] = /has the password (\S+)\./.exec(first.output()) ?? [];
    await first.stop();

    const second = await startInEnvironment(env, ...args);
    await second.said(/^users: sqlite:.*postern\.db \(postern user list lists them/m);
    expect(second.output()).not.toContain(password);
    expect(await logIn(second, 'demo', password)).toMatchObject({ code: 0 });
    await second.stop();
  });

  it('leaves the database alone where --auth names users', async () => {
    using folder = temporaryFolder('demo');
    const env = { POSTERN_DB: `sqlite:${join(folder.path, 'postern.db')}` };
    await (await startInEnvironment(env, ...ANY_PORT, ...words`--demo --auth memory:joe:secret --log silent`)).stop();
    expect(existsSync(join(folder.path, 'postern.db'))).toBe(false);
  });
});

describe('postern serve', () => {
  it('uses the default database once it exists', async () => {
    using site = new TestUserDatabase();
    const env = { POSTERN_DB: site.spec };
    await runInProcess(words`user add joe`, 'correct horse\n', env);
    await using server = await startInEnvironment(env, ...ANY_PORT, ...words`--log silent`);
    await server.said(/^users: sqlite:/m);
    expect(server.output()).not.toContain('demo');
    expect(await logIn(server, 'joe', 'correct horse')).toMatchObject({ code: 0 });
  });
});

/** Begins SCRAM-SHA-256. Returns the salt of the server's challenge, in base64. */
async function saltOf(user: string, { urls: [url] }: ServingPostern): Promise<string | undefined> {
  using client = new LineClient(connect({ host: '127.0.0.1', port: Number(url?.port) }));
  await client.hear();
  await client.say('EHLO client.example.com');
  const challenge = await client.say(`AUTH SCRAM-SHA-256 ${btoa(`n,,n=${user},r=abcdefghijkl`)}`);
  return /,s=([^,]+)/.exec(atob(challenge.replace(/^334 /, '').trim()))?.[1];
}

/** Written by Dovecot, without its scheme. */
const SCRAM_RECORD =
  '4096,5jn1A0M9yYIHi70+3geaAg==,7X0XvD4xUIEiTBdBATz77JzrheYtVQyurbHq3CdkKEg=,PCGMltfi1gw1r+Ll9zbdvKUa7g3sVzDH7bVAY57JcbM=';
