import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { totpCode } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { Output } from '../support/output.ts';
import { BIN, type ServingPostern, startPostern } from '../support/postern.ts';
import { run, words } from '../support/program.ts';
import { TestUserDatabase } from '../support/user-database.ts';

const ANY_PORT = words`--listen smtp://127.0.0.1:0`;

function logIn({ urls: [url] }: ServingPostern, user: string, password: string, ...more: readonly string[]) {
  return runInProcess(['login', `smtp://127.0.0.1:${url?.port}?tls=none`, '--user', user, ...more], `${password}\n`);
}

describe('a process of postern', () => {
  it.skipIf(process.platform === 'win32')('that lists users ends in silence when its reader has enough', async () => {
    using site = new TestUserDatabase();
    const path = join(site.path, 'users');
    writeFileSync(path, Array.from({ length: 5_000 }, (_, number) => `user${number}:{PLAIN}s3cret\n`).join(''));
    const list = `"$0" "$1" user list --db "$2"; echo "status $?" >&2`;
    const { output } = await run('sh', ['-c', `{ ${list}; } | head -1`, process.execPath, BIN, `file:${path}`]);
    expect(output).toMatch(/^NAME .*\n?/);
    expect(output).toContain('status 0\n');
    expect(output).not.toContain('Error');
  });

  it('names the package to install where PostgreSQL is named without it', async () => {
    const args = words`user list --db postgres://mail@127.0.0.1/mail?password=file:${BIN}`;
    const { code, output } = await run(process.execPath, ['--input-type=module', '-e', WITHOUT_PEERS, BIN, ...args]);
    expect(output).toBe(
      `postern: postgres://…@127.0.0.1/mail?password=file:${BIN}: expected the package for PostgreSQL: npm install @postern/postgres\n`,
    );
    expect(code).toBe(1);
  });

  it('keeps a user that it has reported, also if it is killed then', async () => {
    using site = new TestUserDatabase();
    const adding = spawn(process.execPath, [BIN, ...words`user add joe --db ${site.spec}`]);
    const output = new Output();
    adding.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.append(text);
      // The report is written: nothing may be left to do.
      adding.kill('SIGKILL');
    });
    adding.stdin.end('correct horse\n');
    await once(adding, 'close');
    expect(output.text).toContain('added joe');
    expect(await site.show('joe')).toMatchObject({ name: 'joe', state: 'enabled' });
  });
});

describe('postern serve --workers', () => {
  it('opens the database in each worker, with one server key', async () => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe`, 'correct horse\n');
    await using server = await startPostern(...ANY_PORT, ...words`--auth ${site.spec} --workers 2 --log json`);
    for (let login = 0; login < 6; login++) {
      expect(await logIn(server, 'joe', 'correct horse')).toMatchObject({ code: 0 });
    }
    await site.expect(words`remove joe --yes`);
    // A worker sees the change of another process within a second, and a look-up at once.
    expect(await logIn(server, 'joe', 'correct horse', '--mechanism', 'PLAIN')).toMatchObject({ code: 1 });
    expect(server.output()).not.toContain('correct horse');
  });

  it('offers no SCRAM for the users of a file without a key that outlives the workers', async () => {
    using site = new TestUserDatabase();
    const path = join(site.path, 'users');
    writeFileSync(path, `joe:{SCRAM-SHA-256}${SCRAM_RECORD}\n`);
    await using server = await startPostern(
      ...ANY_PORT,
      ...words`--auth file:${path}?format=passwd-file --workers 2 --log silent`,
    );
    const { output } = await logIn(server, 'joe', 's3cret', '--mechanism', 'SCRAM-SHA-256');
    expect(output).toContain('AUTH');
    expect(output).not.toMatch(/AUTH[^\n]* SCRAM-SHA-256/);
  });
});

describe('postern serve --workers with a cache', () => {
  it('accepts a one-time code once, and stores a new hash for an old one', async () => {
    using site = new TestUserDatabase();
    writeFileSync(join(site.path, 'htpasswd'), `ann:${BCRYPT}\n`);
    await site.expect(words`import ${join(site.path, 'htpasswd')}`);
    await site.expect(words`add joe`, 'correct horse\n');
    const [, secret = ''] = /secret=([A-Z2-7]+)/.exec(await site.expect(words`totp joe --no-confirm`)) ?? [];
    const config = join(site.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `export default { auth: ['${site.spec}'], workers: 2, log: 'pretty', users: { cache: { maxAge: 60 } } };`,
    );
    await using server = await startPostern(...ANY_PORT, '--config', config);
    // Both workers know the users before the code is used.
    for (const user of ['joe', 'ann']) {
      await Promise.all(Array.from({ length: 2 }, () => logIn(server, user, 'wrong', '--mechanism', 'PLAIN')));
    }
    const code = totpCode({ secret }, Date.now());
    const attempts = Array.from({ length: 4 }, () =>
      logIn(server, 'joe', `correct horse${code}`, '--mechanism', 'PLAIN'),
    );
    const ends = await Promise.all(attempts);
    expect(ends.filter(({ code }) => code === 0)).toHaveLength(1);
    expect(ends.filter(({ code }) => code === 1)).toHaveLength(3);
    const logins = Array.from({ length: 3 }, () => logIn(server, 'ann', 's3cret', '--mechanism', 'PLAIN'));
    expect(await Promise.all(logins)).toEqual(logins.map(() => expect.objectContaining({ code: 0 })));
    await server.stop();
    expect(await site.show('ann')).toMatchObject({ schemes: ['argon2id', 'SCRAM-SHA-256'] });
    expect(server.output()).not.toMatch(/ error |correct horse|s3cret/);
  });
});

describe.skipIf(process.platform === 'win32')('postern serve --auth file:', () => {
  it('reads the file again at SIGHUP, and keeps the old users where the file is bad', async () => {
    using site = new TestUserDatabase();
    const path = join(site.path, 'users');
    writeFileSync(path, 'joe:{PLAIN}s3cret\n');
    await using server = await startPostern(...ANY_PORT, ...words`--auth file:${path} --log pretty`);
    expect(await logIn(server, 'joe', 's3cret')).toMatchObject({ code: 0 });
    const replace = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      server.kill('SIGHUP');
    };
    replace('ann:{PLAIN}s3cret\n');
    await server.said(/users read again from file:/);
    expect(await logIn(server, 'ann', 's3cret')).toMatchObject({ code: 0 });
    expect(await logIn(server, 'joe', 's3cret')).toMatchObject({ code: 1 });
    replace('ann:{PLAIN}other\nAnn:{PLAIN}other\n');
    await server.said(/the users of file:\S+ cannot be used, the old ones stay/);
    expect(await logIn(server, 'ann', 's3cret')).toMatchObject({ code: 0 });
    expect(server.output()).not.toMatch(/s3cret|\{PLAIN\}/);
  });
});

describe('a user store of the config file', () => {
  it('that fails is a temporary failure, and one line for the operator', async () => {
    using site = new TestUserDatabase();
    const config = join(site.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `export default {
        listen: ['smtp://127.0.0.1:0'],
        auth: [{ find(name) { if (name === 'joe') return { name, secrets: ['{PLAIN}s3cret'] }; throw new Error('no database'); } }],
        users: { queue: { maxWaiting: 10 }, cache: { maxAge: 1 } },
      };\n`,
    );
    await using server = await startInProcess('--config', config, '--log', 'json');
    expect(await logIn(server, 'joe', 's3cret', '--mechanism', 'PLAIN')).toMatchObject({ code: 0 });
    const { output } = await logIn(server, 'ann', 's3cret', '--mechanism', 'PLAIN');
    expect(output).toContain('S: 454 4.7.0 ');
    await server.said(/"msg":"closed"[\s\S]*"msg":"closed"/);
    const failures = server.output().match(/^.*no database.*$/gm) ?? [];
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('"during":"AUTH"');
  });

  it.each([
    ['{ queue: { threads: 0 } }', 'users: threads must be a whole number'],
    ['{ argon2id: { memory: 1, passes: 1, parallelism: 1 } }', 'users: the cost of argon2id is out of range'],
    ['{ cache: { maxAge: -1 } }', 'users: maxAge'],
    ['{ argon: {} }', 'users.argon: unknown property'],
  ])('with the parameters %s does not start', async (users, message) => {
    using site = new TestUserDatabase();
    await site.expect(words`add joe --generate`);
    const config = join(site.path, 'postern.config.mjs');
    writeFileSync(config, `export default { auth: ['${site.spec}'], users: ${users} };\n`);
    const { code, output } = await runInProcess(['serve', '--config', config]);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });

  it('that does not exist is not created: its path may be misspelt', async () => {
    using site = new TestUserDatabase();
    const { code, output } = await runInProcess(['serve', '--auth', site.spec]);
    expect(output).toContain(`${site.spec}: there is no such database; \`postern user add NAME --db ${site.spec}\``);
    expect(code).toBe(1);
    expect(await site.user(words`list`)).toMatchObject({ code: 1 });
  });
});

/** Runs the command as if its optional packages were not installed. */
const WITHOUT_PEERS = `
  import { registerHooks } from 'node:module';
  import { pathToFileURL } from 'node:url';
  const isPeer = (specifier) => /^@postern\\/(postgres|crypt)$/.test(specifier);
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, isPeer(specifier) ? { ...context, parentURL: 'file:///nowhere/index.js' } : context),
  });
  const [bin, ...args] = process.argv.slice(1);
  process.argv.splice(1, process.argv.length, bin, ...args);
  await import(pathToFileURL(bin).href);
`;

/** Of htpasswd -nbB -C 4: the password is s3cret. */
const BCRYPT = '$2y$04$GCBklPs/NjmKTvtkQqoCBuM0a.Z9pf.Mx5YuJAqloXuRVNHzu./p.';
/** Written by Dovecot, without its scheme. */
const SCRAM_RECORD =
  '4096,5jn1A0M9yYIHi70+3geaAg==,7X0XvD4xUIEiTBdBATz77JzrheYtVQyurbHq3CdkKEg=,PCGMltfi1gw1r+Ll9zbdvKUa7g3sVzDH7bVAY57JcbM=';
