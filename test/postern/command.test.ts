import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { runPostern, type ServingPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ANY_PORT = words`--listen smtp://127.0.0.1:0`;

describe('postern', () => {
  it('prints its version and ends with 0', async () => {
    const ended = { code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) };
    expect(await runPostern(['--version'])).toEqual(ended);
    expect(await runInProcess(['--version'])).toEqual(ended);
  });

  it('ends a process with 2 for a usage error', async () => {
    const { code, output } = await runPostern(['serve', '--port', '25']);
    expect(code).toBe(2);
    expect(output).toMatch(/^postern: .*'--port'.*\n$/);
  });

  it.each([
    [[], 'expected serve or explain'],
    [['sreve'], '"sreve": expected serve or explain'],
    [['serve', '--port', '25'], "'--port'"],
    [['serve', '--listen', 'nonsense'], '--listen: "nonsense": expected smtp://HOST:PORT'],
    [['serve', 'memory:joe:s3cret'], '"memory:joe:…": expected an option, such as --listen URL'],
    [['memory:joe:s3cret'], '"memory:joe:…": expected serve or explain or login'],
    [['serve', '--listen', 'smtp://joe:s3cret@host:25'], '--listen: "smtp://…@host:25": expected smtp://HOST:PORT'],
    [['explain', '--auth', 'nobody'], '--auth: expected sqlite:PATH or '],
    [['serve', '--deliver', 'pigeon'], '--deliver: expected console or discard or maildir:DIR'],
    [['serve', '--notify', 'pigeon'], '--notify: expected console or discard or maildir:DIR'],
    [['serve', '--tls-cert', 'x.pem'], '--tls-cert: expected --tls-key FILE'],
    [['serve', '--tls-cert', 'missing.pem', '--tls-key', 'missing.pem'], '--tls-cert, --tls-key: expected PEM files'],
    [['serve', '--config', 'missing.ts'], '--config missing.ts: expected a file that exists'],
    [['serve', '--hostname', 'not a name'], '--hostname: expected a domain name'],
    [['serve', '--workers', '0'], '--workers: expected'],
    [['serve', '--workers', 'many'], '--workers: expected'],
    [['serve', '--workers', '1.5'], '--workers: expected'],
    [['serve', '--workers', '1e9'], '--workers: expected'],
  ])('%j ends with 2 and one line that says what is expected', async (args, expected) => {
    const { code, output } = await runInProcess(args);
    expect(code).toBe(2);
    expect(output).toMatch(/^postern: [^\n]*expected[^\n]*\n$/);
    expect(output).toContain(expected);
  });
});

describe('postern serve', () => {
  it('prints one exact line for each listener, with the real port', async () => {
    await using server = await startInProcess(
      ...ANY_PORT,
      ...words`--listen smtp://[::1]:0 --auth anonymous --log silent`,
    );
    expect(server.output()).toMatch(
      /^listening smtp:\/\/127\.0\.0\.1:[1-9]\d*\nlistening smtp:\/\/\[::1\]:[1-9]\d*\n$/,
    );
  });

  it.skipIf(skips('curl', 'curl'))('creates a demo user and prints a line that delivers when pasted', async () => {
    await using server = await startInProcess(...ANY_PORT);
    await server.said(/^printf .*\n/m);
    const [line = ''] = /^printf .* curl .*$/m.exec(server.output()) ?? [];
    expect(await run('sh', ['-c', line])).toEqual({ code: 0, output: '' });
    await server.said(/from <demo@example\.com> to <ann@example\.com>\n {2}sent by demo\n/);
    await server.said(/ {2}Subject: hello\n {2}\| It works\.\n/);
  });

  it('reports a socket whose folder is missing in one sentence', async () => {
    using folder = temporaryFolder('command');
    const path = join(folder.path, 'missing', 'socket');
    expect(await runInProcess(words`serve --listen lmtp+unix:${path}`)).toEqual({
      code: 1,
      output: `postern: cannot listen on lmtp+unix:${path}: this user may not write there, or there is no such folder (EACCES)\n`,
    });
  });

  it('reports a port on which another program listens in one sentence', async () => {
    await using server = await startInProcess(...ANY_PORT, ...words`--log silent`);
    const url = String(server.urls[0]).replace(/\/$/, '');
    expect(await runPostern(words`serve --listen smtp://127.0.0.1:0 --listen ${url}`)).toEqual({
      code: 1,
      output: `postern: cannot listen on ${url}: another program listens there already (EADDRINUSE)\n`,
    });
  });

  it('reports a file in place of the folder for Maildirs before it listens', async () => {
    using folder = temporaryFolder('command');
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const options = words`serve --listen smtp://127.0.0.1:0 --auth memory:joe:secret --deliver maildir:${file}`;
    const sentence = `cannot store messages in ${file}: it is not a folder (EEXIST); expected a folder that this user may write to`;
    expect(await runInProcess(options)).toEqual({ code: 1, output: `postern: ${sentence}\n` });
    const { code, output } = await runPostern([...options, '--workers', '2']);
    expect(code).toBe(1);
    expect(output).toContain(sentence);
  });

  it('delivers into Maildirs', async () => {
    using folder = temporaryFolder('command');
    await using server = await startInProcess(
      ...ANY_PORT,
      ...words`--auth anonymous --deliver maildir:${folder.path} --domains example.com --log silent`,
    );
    using client = await Client.connect(server);
    await client.begin();
    expect(await client.say('Subject: x\r\n\r\nbody\r\n.')).toMatch(/^250 /);
    const inbox = join(folder.path, 'ann@example.com/new');
    const [file = ''] = readdirSync(inbox);
    expect(readFileSync(join(inbox, file), 'latin1')).toMatch(
      /^Return-Path: <bob@example\.com>\r\nReceived: from [\s\S]*\r\nSubject: x\r\n\r\nbody\r\n$/,
    );
  });

  it('refuses MAIL without AUTH unless anonymous may log in', async () => {
    await using server = await startInProcess(...ANY_PORT, ...words`--auth memory:joe:secret --log silent`);
    using client = await Client.connect(server);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^530 5\.7\.0 /);
  });

  it('refuses MAIL before AUTH ANONYMOUS where the listener requires AUTH', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?auth=required --auth anonymous --log silent`,
    );
    using client = await Client.connect(server);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^530 5\.7\.0 /);
    expect(await client.say('AUTH ANONYMOUS Ym9i')).toMatch(/^235 /);
    expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
  });

  it('asks the user databases in order', async () => {
    await using server = await startInProcess(
      ...ANY_PORT,
      ...words`--auth memory:joe:one --auth memory:ann:two --log silent`,
    );
    using client = await Client.connect(server);
    expect(await client.say(`AUTH PLAIN ${btoa('\0ann\0one')}`)).toMatch(/^535 /);
    expect(await client.say(`AUTH PLAIN ${btoa('\0ann\0two')}`)).toMatch(/^235 /);
  });

  it('logs JSON without passwords and without the names of refused users', async () => {
    await using server = await startInProcess(...ANY_PORT, ...words`--auth memory:joe:secret --log json`);
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

describe('postern explain', () => {
  it('names an unwanted mechanism as unwanted before any other reason', async () => {
    const { output } = await runInProcess(words`explain --auth memory:joe:secret --mechanisms PLAIN`);
    expect(output).toMatch(/^ {4}offered: PLAIN$/m);
    expect(namesBehind(output, 'no: not among the mechanisms wanted')).toEqual(
      expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'LOGIN']),
    );
    expect(namesBehind(output, 'no: no checker for ExternalIdentity')).toEqual(['EXTERNAL']);
  });

  it('lists the mechanisms of each listener, with the reason for each missing one', async () => {
    const { code, output } = await runInProcess(
      words`explain --auth memory:joe:secret --listen smtp://0.0.0.0:25 --listen smtp://127.0.0.1:25`,
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

/**
 * Returns the names of the mechanisms after a heading of `postern explain`, whose lines are folded.
 */
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
  /** Connects and sends EHLO. */
  static async connect({ urls: [url] }: ServingPostern): Promise<Client> {
    const client = new Client(connect({ host: '127.0.0.1', port: Number(url?.port) }));
    await client.hear();
    await client.say('EHLO client.example.com');
    return client;
  }

  /** Sends MAIL, RCPT and DATA. */
  async begin(): Promise<void> {
    expect(await this.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
    expect(await this.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
    expect(await this.say('DATA')).toMatch(/^354 /);
  }
}
