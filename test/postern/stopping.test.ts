import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { Output } from '../support/output.ts';
import { BIN, type ServingPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

const SERVE = words`--listen smtp://127.0.0.1:0 --auth anonymous --log pretty`;

describe('a server that gets a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('sends 421 to an idle client and ends with 0: %s', async (signal) => {
    const server = await startPostern(...SERVE);
    using client = await clientOf(server);
    server.kill(signal);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
  });

  it('lets a transaction finish and accepts no new client meanwhile', async () => {
    const server = await startInProcess(...SERVE);
    using client = await clientInData(server);
    server.kill('SIGTERM');
    await server.said(/stopping/);
    const [url] = server.urls;
    const late = connect({ host: '127.0.0.1', port: Number(url?.port) });
    // The system may accept and then drop a connection, which shows only after a write.
    late.write('QUIT\r\n');
    await expect(once(late, 'data')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|EPIPE)$/),
    });
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
    expect(server.output()).toContain('  | last\n');
  });

  it('logs the number of remaining clients and how to end at once', async () => {
    const server = await startInProcess(...SERVE);
    using client = await clientInData(server);
    server.kill('SIGINT');
    await server.said(/waiting for 1 client, Ctrl-C again to end/);
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await server.ended).toBe(0);
  });

  it('ends with the npm that started it, whose SIGTERM reaches only the shell between them', async () => {
    const command = `"${process.execPath}" "${BIN}" serve ${SERVE.join(' ')}; true`;
    const shell = spawn('sh', ['-c', command], { env: { ...process.env, npm_lifecycle_event: 'start' } });
    const output = new Output();
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => output.append(text));
    }
    // The server shares the streams of the shell: `close` comes after both have ended.
    const closed = once(shell, 'close').then(() => output.end('the shell ended'));
    await output.said(/listening /);
    shell.kill('SIGTERM');
    await closed;
    expect(output.text).toMatch(/stopping.*signal="npm ended".*stopped/s);
  });

  it('counts several signals within one second as one: a terminal and npm both pass Ctrl-C on', async () => {
    const server = await startPostern(...SERVE);
    using client = await clientInData(server);
    // A stopped process receives both signals at once when it continues, however slow the machine
    // is.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) server.kill(signal);
    await server.said(/stopping/);
    expect(await client.say('Subject: x\r\n\r\nlast\r\n.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    expect(await server.ended).toBe(0);
  });

  it('ends at once at a later signal, even in the middle of a message', async () => {
    const server = await startPostern(...SERVE);
    using _client = await clientInData(server);
    server.kill('SIGTERM');
    await server.said(/stopping/);
    // A signal within one second of the first is the same key press, so repeat it.
    const insist = setInterval(() => server.kill('SIGTERM'), 200);
    expect(await server.ended).toBe(1);
    clearInterval(insist);
  });
});

/** Connects and sends EHLO. */
async function clientOf({ urls: [url] }: ServingPostern): Promise<LineClient> {
  const client = new LineClient(connect({ host: '127.0.0.1', port: Number(url?.port) }));
  await client.hear();
  await client.say('EHLO client.example.com');
  return client;
}

/** Connects and sends all commands of a transaction up to DATA. */
async function clientInData(server: ServingPostern): Promise<LineClient> {
  const client = await clientOf(server);
  expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
  expect(await client.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
  expect(await client.say('DATA')).toMatch(/^354 /);
  return client;
}
