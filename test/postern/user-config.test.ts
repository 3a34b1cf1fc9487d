import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../support/in-process.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A config file in a folder of its own. */
class ConfigFolder implements Disposable {
  readonly #folder = temporaryFolder('user-config');
  readonly path = join(this.#folder.path, 'postern.config.mjs');

  /** @param properties the properties of the default export, as JavaScript */
  constructor(properties: string) {
    writeFileSync(this.path, `${OWN_STORE}export default { ${properties.replaceAll('$DIR', this.#folder.path)} };\n`);
  }

  file(name: string): string {
    return join(this.#folder.path, name);
  }

  user(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}) {
    return runInProcess(['user', ...args, '--config', this.path], input, env);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

describe('postern user with a config file', () => {
  it('edits the one database of `auth`, with the policy of `users`', async () => {
    using site = new ConfigFolder(
      `auth: ['memory:ann:secret', 'file:$DIR/htpasswd', 'sqlite:$DIR/users.db'],
       users: { argon2id: { memory: 8192, passes: 3, parallelism: 1 }, scram: [{ hash: 'sha512', iterations: 5000 }] }`,
    );
    const added = await site.user(words`add joe --generate`);
    expect(added.output).toContain(`added joe (argon2id, SCRAM-SHA-512) to sqlite:${site.file('users.db')}\n`);
    expect((await site.user(words`password joe --generate`)).code).toBe(0);
    expect((await site.user(words`list --json`)).output).toContain('"schemes":["argon2id","SCRAM-SHA-512"]');
  });

  it('reads the one store of `auth`, although it is a file or has only `find`', async () => {
    using site = new ConfigFolder(`auth: ['file:$DIR/htpasswd']`);
    writeFileSync(site.file('htpasswd'), `ann:${BCRYPT}\n`);
    expect((await site.user(words`list --json`)).output).toContain('"name":"ann"');
    expect(await site.user(words`add joe --generate`)).toMatchObject({
      code: 2,
      output: expect.stringContaining('is read-only'),
    });
    using own = new ConfigFolder('auth: [ownStore]');
    expect(await own.user(words`add joe --generate`)).toMatchObject({
      code: 2,
      output: expect.stringContaining('auth 1 is read-only'),
    });
  });

  it.each([
    ['several databases', `auth: ['sqlite:$DIR/a.db', 'sqlite:$DIR/b.db']`, 'several user stores'],
    ['no user store', `auth: ['memory:ann:secret']`, 'no user store'],
  ])('needs --db or POSTERN_DB with %s', async (_what, properties, problem) => {
    using site = new ConfigFolder(properties);
    expect(await site.user(words`list`)).toEqual({
      code: 2,
      output: `postern: ${site.path}: auth: ${problem} for postern user: expected --db SPEC, such as --db sqlite:PATH\n`,
    });
    const spec = `sqlite:${site.file('b.db')}`;
    expect((await site.user(words`add joe --generate --db ${spec}`)).output).toContain(`to ${spec}\n`);
    expect((await site.user(words`list --json`, '', { POSTERN_DB: spec })).output).toContain('"name":"joe"');
  });

  it('takes weak hashes with `users.allowWeak`, and else says how to allow them', async () => {
    using strict = new ConfigFolder('');
    writeFileSync(strict.file('passwd'), `ann:{PLAIN-MD5}33e1b232a4e6fa0028a6670753749a17\n`);
    const args = words`import ${strict.file('passwd')} --db sqlite:${strict.file('users.db')}`;
    expect(await strict.user(args)).toMatchObject({
      code: 1,
      output: expect.stringContaining(
        'weak schemes: --allow-weak, or users: { allowWeak: true } in the config file, takes them, and the server ' +
          'needs the latter\n',
      ),
    });
    using lenient = new ConfigFolder('users: { allowWeak: true }');
    const { code, output } = await lenient.user(args);
    expect([code, output]).toEqual([0, expect.stringContaining('added 1 user to ')]);
    expect(output).not.toContain('weak');
  });

  it('reports a wrong policy or file in one line', async () => {
    using site = new ConfigFolder(
      `auth: ['sqlite:$DIR/users.db'], users: { scram: [{ hash: 'sha256', iterations: 1 }] }`,
    );
    expect(await site.user(words`add joe --generate`)).toEqual({
      code: 2,
      output: expect.stringMatching(/^postern: [^\n]*users: [^\n]*iterations[^\n]*\n$/),
    });
    expect(await runInProcess(words`user list --config ${site.file('none.mjs')}`)).toEqual({
      code: 2,
      output: `postern: --config ${site.file('none.mjs')}: expected a file that exists\n`,
    });
  });
});

const OWN_STORE = 'const ownStore = { find: () => undefined, async *list() {} };\n';
/** Of htpasswd -nbB -C 4: the password is s3cret. */
const BCRYPT = '$2y$04$GCBklPs/NjmKTvtkQqoCBuM0a.Z9pf.Mx5YuJAqloXuRVNHzu./p.';
