import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { missing, run } from '../support/program.ts';

const BIN = fileURLToPath(new URL('../../packages/postern/bin/postern.js', import.meta.url));
const ANY_PORT = ['--listen', 'smtp://127.0.0.1:0'];

/** Runs the command to its end. */
function postern(...args: string[]): ReturnType<typeof run> {
  return run(process.execPath, [BIN, ...args]);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-command-'));
});
// Of this run alone: another one may go on in the same tree.
const scratch = fileURLToPath(new URL(`../.readme/config-${process.pid}`, import.meta.url));
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(scratch, { recursive: true, force: true });
});

describe('postern', () => {
  it('tells its version', async () => {
    expect(await postern('--version')).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.each([
    [[], 'expected serve or explain'],
    [['sreve'], '"sreve": expected serve or explain'],
    [['serve', '--port', '25'], "'--port'"],
    [['serve', '--listen', 'nonsense'], '--listen: "nonsense": expected smtp://HOST:PORT'],
    [['serve', 'memory:joe:s3cret'], '"memory:joe:…": expected an option, such as --listen URL'],
    [['memory:joe:s3cret'], '"memory:joe:…": expected serve or explain or login'],
    [['serve', '--listen', 'smtp://joe:s3cret@host:25'], '--listen: "smtp://…@host:25": expected smtp://HOST:PORT'],
    [['explain', '--auth', 'nobody'], '--auth: expected memory:USER:PASSWORD or anonymous'],
    [['serve', '--deliver', 'pigeon'], '--deliver: expected console or discard or maildir:DIR'],
    [['serve', '--notify', 'pigeon'], '--notify: expected console or discard or maildir:DIR'],
    [['serve', '--tls-cert', 'x.pem'], '--tls-cert: expected --tls-key FILE'],
    [['serve', '--tls-cert', 'missing.pem', '--tls-key', 'missing.pem'], '--tls-cert, --tls-key: expected PEM files'],
    [['serve', '--config', 'missing.ts'], '--config missing.ts: expected a file that exists'],
    [['serve', '--hostname', 'not a name'], '--hostname: expected a domain name'],
  ])('%j ends with 2 and one line that says what was expected', async (args, expected) => {
    const { code, output } = await postern(...args);
    expect(code).toBe(2);
    expect(output).toMatch(/^postern: [^\n]*expected[^\n]*\n$/);
    expect(output).toContain(expected);
  });
});

describe('postern serve', () => {
  it('prints the exact line for each listener, with the real port', async () => {
    await using server = await startPostern(
      ...ANY_PORT,
      '--listen',
      'smtp://[::1]:0',
      '--auth',
      'anonymous',
      '--log',
      'silent',
    );
    expect(server.output()).toMatch(
      /^listening smtp:\/\/127\.0\.0\.1:[1-9]\d*\nlistening smtp:\/\/\[::1\]:[1-9]\d*\n$/,
    );
  });

  it.skipIf(missing('curl', 'curl'))('makes up a guest, and the line it prints delivers when pasted', async () => {
    await using server = await startPostern(...ANY_PORT);
    await server.said(/^printf .*\n/m);
    const [line = ''] = /^printf .* curl .*$/m.exec(server.output()) ?? [];
    expect(await run('sh', ['-c', line])).toEqual({ code: 0, output: '' });
    await server.said(/from <guest@example\.com> to <ann@example\.com>\n {2}sent by guest\n/);
    await server.said(/ {2}Subject: hello\n {2}\| It works\.\n/);
  });

  it('cannot listen at a socket in a folder that is missing, and says so in a sentence', async () => {
    const path = join(scratch, 'missing', 'socket');
    const { code, output } = await postern('serve', '--listen', `lmtp+unix:${path}`);
    expect(code).toBe(1);
    expect(output).toBe(
      `postern: cannot listen on lmtp+unix:${path}: this user may not write there, or there is no such folder (EACCES)\n`,
    );
  });

  it('cannot listen where another does, and says so in a sentence', async () => {
    await using server = await startPostern(...ANY_PORT, '--log', 'silent');
    const url = String(server.urls[0]).replace(/\/$/, '');
    const { code, output } = await postern('serve', '--listen', 'smtp://127.0.0.1:0', '--listen', url);
    expect(code).toBe(1);
    expect(output).toBe(`postern: cannot listen on ${url}: another program listens there already (EADDRINUSE)\n`);
  });

  it('cannot store messages in a file, and says so before it listens', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const options = [...ANY_PORT, '--auth', 'memory:joe:secret', '--deliver', `maildir:${file}`];
    const sentence = `cannot store messages in ${file}: that is no folder (EEXIST); expected a folder in which this user may write`;
    expect(await postern('serve', ...options)).toEqual({ code: 1, output: `postern: ${sentence}\n` });
    const { code, output } = await postern('serve', ...options, '--workers', '2');
    expect(code).toBe(1);
    expect(output).toContain(sentence);
  });

  it('delivers into Maildirs', async () => {
    const mail = join(folder, 'mail');
    await using server = await startPostern(
      ...ANY_PORT,
      '--auth',
      'anonymous',
      '--deliver',
      `maildir:${mail}`,
      '--domains',
      'example.com',
      '--log',
      'silent',
    );
    using client = await Client.connect(server);
    await client.begin();
    expect(await client.say('Subject: x\r\n\r\nbody\r\n.')).toMatch(/^250 /);
    const [file = ''] = readdirSync(join(mail, 'ann@example.com/new'));
    const text = readFileSync(join(mail, 'ann@example.com/new', file), 'latin1');
    expect(text).toMatch(/^Return-Path: <bob@example\.com>\r\nReceived: from [\s\S]*\r\nSubject: x\r\n\r\nbody\r\n$/);
  });

  it('refuses mail without AUTH unless anonymous is among those who may log in', async () => {
    await using server = await startPostern(...ANY_PORT, '--auth', 'memory:joe:secret', '--log', 'silent');
    using client = await Client.connect(server);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^530 5\.7\.0 /);
  });

  it('refuses mail without AUTH from guests where AUTH is required', async () => {
    const listen = ['--listen', 'smtp://127.0.0.1:0?auth=required'];
    await using server = await startPostern(...listen, '--auth', 'anonymous', '--log', 'silent');
    using client = await Client.connect(server);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^530 5\.7\.0 /);
    expect(await client.say('AUTH ANONYMOUS Ym9i')).toMatch(/^235 /);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
  });

  it('asks the user databases in their order', async () => {
    const auth = ['--auth', 'memory:joe:one', '--auth', 'memory:ann:two'];
    await using server = await startPostern(...ANY_PORT, ...auth, '--log', 'silent');
    using client = await Client.connect(server);
    expect(await client.say(`AUTH PLAIN ${btoa('\0ann\0one')}`)).toMatch(/^535 /);
    expect(await client.say(`AUTH PLAIN ${btoa('\0ann\0two')}`)).toMatch(/^235 /);
  });

  it('is told the same by a typed file, in which a user database may be an object', async () => {
    await using server = await startPostern('--config', configFile());
    using client = await Client.connect(server);
    expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0wrong')}`)).toMatch(/^535 /);
    expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0from the file')}`)).toMatch(/^235 /);
    expect(await client.say('EHLO client.example.com')).toContain('SIZE 4711\r\n');
  });

  it('logs JSON on request, without passwords and without the names of who did not get in', async () => {
    await using server = await startPostern(...ANY_PORT, '--auth', 'memory:joe:secret', '--log', 'json');
    using client = await Client.connect(server);
    await client.say(`AUTH PLAIN ${btoa('\0hunter2\0wrong-password')}`);
    await client.say(`AUTH PLAIN ${btoa('\0joe\0secret')}`);
    const closed = once(client.socket, 'end');
    await client.say('QUIT');
    await closed;
    await server.said(/"msg":"closed"/);
    const entries = server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { msg: string });
    expect(entries.map(({ msg }) => msg)).toEqual(['connected', 'login refused', 'logged in', 'closed']);
    expect(server.output()).not.toMatch(/hunter2|wrong-password|secret|aHVudGVyMg|c2VjcmV0/);
  });
});

describe('a server that gets a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s says 421 to who is idle, and ends with 0', async (signal) => {
    const server = await startPostern(...ANY_PORT, '--auth', 'anonymous', '--log', 'silent');
    using client = await Client.connect(server);
    server.process.kill(signal);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
  });

  it('lets a transaction finish, and accepts nobody new meanwhile', async () => {
    const server = await startPostern(...ANY_PORT, '--auth', 'anonymous', '--log', 'pretty');
    using client = await Client.connect(server);
    await client.begin();
    server.process.kill('SIGTERM');
    await server.said(/stopping/);
    const [url] = server.urls;
    const late = connect({ host: '127.0.0.1', port: Number(url?.port) });
    // The system may let go of a connection that was about to come, and does not tell before something is said on it.
    late.write('QUIT\r\n');
    await expect(once(late, 'data')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|EPIPE)$/),
    });
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
    expect(server.output()).toContain('  | last\n');
  });

  it('says for how many clients it waits, and how to end at once', async () => {
    const server = await startPostern(...ANY_PORT, '--auth', 'anonymous', '--log', 'pretty');
    using client = await Client.connect(server);
    await client.begin();
    server.process.kill('SIGINT');
    await server.said(/waiting for 1 client, Ctrl-C again to end/);
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await server.ended).toBe(0);
  });

  it('ends with the npm that started it, whose SIGTERM reaches the shell between them only', async () => {
    const command = `"${process.execPath}" "${BIN}" serve --listen smtp://127.0.0.1:0 --log pretty; true`;
    const shell = spawn('sh', ['-c', command], { env: { ...process.env, npm_lifecycle_event: 'start' } });
    const output = Promise.withResolvers<void>();
    let text = '';
    shell.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('listening ')) output.resolve();
    });
    shell.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await output.promise;
    shell.kill('SIGTERM');
    // The streams are the server's as well: they close when it has ended.
    await once(shell, 'close');
    expect(text).toMatch(/stopping.*signal="npm ended".*stopped/s);
  });

  it('takes several in a second for one: a terminal and npm both pass Ctrl-C on', async () => {
    const server = await startPostern(...ANY_PORT, '--auth', 'anonymous', '--log', 'pretty');
    using client = await Client.connect(server);
    await client.begin();
    // So that both are there when it goes on, however slow this machine is just now.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) server.process.kill(signal);
    await server.said(/stopping/);
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
  });

  it('ends at once when it gets another, though somebody is in the middle of a message', async () => {
    const server = await startPostern(...ANY_PORT, '--auth', 'anonymous', '--log', 'pretty');
    using client = await Client.connect(server);
    await client.begin();
    server.process.kill('SIGTERM');
    await server.said(/stopping/);
    // Signals that come right after the first are the same key press.
    const insist = setInterval(() => server.process.kill('SIGTERM'), 200);
    expect(await server.ended).toBe(1);
    clearInterval(insist);
  });
});

describe('postern explain', () => {
  it('tells first that a mechanism is not wanted', async () => {
    const { output } = await postern('explain', '--auth', 'memory:joe:secret', '--mechanisms', 'PLAIN');
    expect(output).toMatch(/^ {4}offered: PLAIN$/m);
    expect(namesBehind(output, 'no: not among the mechanisms wanted')).toEqual(
      expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'LOGIN']),
    );
    expect(namesBehind(output, 'no: no checker for ExternalIdentity')).toEqual(['EXTERNAL']);
  });

  it('tells for each listener which mechanisms are offered, and why the others are not', async () => {
    const { code, output } = await postern(
      'explain',
      '--auth',
      'memory:joe:secret',
      '--listen',
      'smtp://0.0.0.0:25',
      '--listen',
      'smtp://127.0.0.1:25',
    );
    expect(code).toBe(0);
    const [remote = '', local = ''] = output.split('\n\n');
    expect(remote).toContain('smtp://0.0.0.0:25: no TLS, authentication required, for clients on other machines\n');
    expect(namesBehind(remote, 'offered')).toContain('SCRAM-SHA-256');
    expect(namesBehind(remote, 'no: exposes the secret: needs TLS')).toEqual(['PLAIN', 'LOGIN']);
    expect(namesBehind(remote, 'no: no checker for Anonymous')).toEqual(['ANONYMOUS']);
    expect(remote).toMatch(/^ {2}after TLS: no TLS here$/m);
    expect(local).toContain('smtp://127.0.0.1:25: no TLS, authentication required, for clients on this machine\n');
    expect(namesBehind(local, 'offered')).toContain('PLAIN');
  });
});

/** The names of the mechanisms behind a heading of `postern explain`, whose lines are folded. */
function namesBehind(output: string, heading: string): readonly string[] {
  const [, names = ''] = output.split(`    ${heading}:`);
  return (
    names
      .split(/\n {2,4}(?! )/)[0]
      ?.trim()
      .split(/\s+/) ?? []
  );
}

class Client extends LineClient {
  /** Connected, and greeted with EHLO. */
  static async connect({ urls: [url] }: RunningPostern): Promise<Client> {
    const client = new Client(connect({ host: '127.0.0.1', port: Number(url?.port) }));
    await client.hear();
    await client.say('EHLO client.example.com');
    return client;
  }

  /** Comes as far as the message itself. */
  async begin(): Promise<void> {
    expect(await this.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
    expect(await this.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
    expect(await this.say('DATA')).toMatch(/^354 /);
  }
}

/** In this tree, where it finds the packages; typed, so that Node has types to strip. */
function configFile(): string {
  mkdirSync(scratch, { recursive: true });
  const file = join(scratch, 'postern.config.ts');
  writeFileSync(
    file,
    `import { type Checker, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
     import { type Config, defineConfig } from 'postern';

     const database: Checker<UsernamePassword> = {
       credentialInterfaces: [UsernamePassword],
       requestAvatarId({ username, password }: UsernamePassword): string {
         if (password !== 'from the file') throw new UnauthorizedLogin();
         return username;
       },
     };
     const config: Config = { listen: ['smtp://127.0.0.1:0'], auth: [database], deliver: 'discard', log: 'silent', limits: { messageSize: 4711 } };
     export default defineConfig(config);
    `,
  );
  return file;
}
