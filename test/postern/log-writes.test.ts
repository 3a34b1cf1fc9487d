import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { runPostern, spawnPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

const LIBRARY = new URL('../../packages/postern/dist/index.js', import.meta.url).href;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-log-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Writes a config file whose delivery runs code in the turn of the event loop in which the server
 * logs its warnings. Returns the path.
 */
function configThat(runs: string, name: string): string {
  const file = join(folder, `${name}.config.js`);
  writeFileSync(
    file,
    `import { DeliveryTarget } from ${JSON.stringify(LIBRARY)};
     const prepare = async () => { ${runs} };
     const deliver = new DeliveryTarget(() => Object.assign(() => ({}), { prepare }));
     export default { listen: ['smtp://0.0.0.0:0'], auth: ['memory:joe:s3cret'], deliver };`,
  );
  return file;
}

async function connected(port: number): Promise<LineClient> {
  const client = new LineClient(connect({ port, host: '127.0.0.1' }));
  await client.hear();
  await client.say('EHLO client.example.com');
  return client;
}

/** Resolves when the server answers one connection. */
async function isUp(port: number): Promise<void> {
  const isGreeted = async (): Promise<boolean> => {
    using client = new LineClient(connect({ port, host: '127.0.0.1' }));
    return await client.hear().then(
      () => true,
      () => false,
    );
  };
  await expect.poll(isGreeted).toBe(true);
}

/** Sends messages whose lines in the log have {@link LINE_OCTETS} octets or more. */
async function sendWide(port: number, messages: number): Promise<void> {
  using client = await connected(port);
  const recipients = Array.from({ length: 100 }, (_, index) => `RCPT TO:<${index}${'x'.repeat(57)}@example.com>\r\n`);
  for (let message = 0; message < messages; message++) {
    client.socket.write(`MAIL FROM:<ann@example.com>\r\n${recipients.join('')}`);
    for (let reply = 0; reply <= recipients.length; reply++) expect(await client.hear()).toMatch(/^250 /);
    expect(await client.say('DATA')).toMatch(/^354 /);
    expect(await client.say('.')).toMatch(/^250 /);
  }
}

const LINE_OCTETS = 7_000;

describe('the log of a process', () => {
  it('has all lines, and then the error, if nothing catches an error', async () => {
    const config = configThat('queueMicrotask(() => { throw new Error("fatal"); });', 'fatal');
    const { code, output } = await runPostern(['serve', '--config', config]);
    expect(output).toMatch(/ warn {2}[\s\S]*\n[\s\S]*Error: fatal/);
    expect(output.trimEnd()).not.toMatch(/Error: fatal[\s\S]* warn {2}/);
    expect(code).toBe(1);
  });

  it('has all lines if the process exits in the same turn', async () => {
    const { code, output } = await runPostern(['serve', '--config', configThat('process.exit(7);', 'exit')]);
    expect(output).toMatch(/ warn {2}.*\n/);
    expect(code).toBe(7);
  });

  it('has all lines, and then the message, if the server cannot start', async () => {
    const config = configThat('throw new Error("no store");', 'start');
    const { code, output } = await runPostern(['serve', '--config', config]);
    expect(output).toMatch(/ warn {2}[\s\S]*\npostern: [\s\S]*no store/);
    expect(code).toBe(1);
  });

  it('is in the order of the output if both are one file', async () => {
    const file = join(folder, 'both');
    const both = openSync(file, 'a');
    const options = words`--listen smtp://0.0.0.0:${String(await freePort())} --auth memory:joe:s3cret`;
    const child = spawnPostern(options, ['ignore', both, both]);
    closeSync(both);
    const exited = once(child, 'exit');
    await expect.poll(() => readFileSync(file, 'utf8')).toContain('listening');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(readFileSync(file, 'utf8')).toMatch(
      /^(?:\S+ warn {2}.*\n)+listening .*\n[\s\S]*\S+ info {2}stopping .*\n\S+ info {2}stopped\n$/,
    );
  });

  it('reports the lines that a stalled reader has lost, and the server serves meanwhile', async () => {
    const port = await freePort();
    const options = words`--listen smtp://127.0.0.1:${String(port)} --auth anonymous --deliver discard --log json`;
    const child = spawnPostern(options, ['ignore', 'ignore', 'pipe']);
    const exited = once(child, 'close');
    await isUp(port);
    const messages = 400;
    expect(messages * LINE_OCTETS).toBeGreaterThan(2 * 1024 * 1024);
    await sendWide(port, messages);
    let log = '';
    (child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    let connections = 2;
    // Any line is the occasion for the report, as soon as the reader has caught up.
    const isReported = async (): Promise<boolean> => {
      using client = await connected(port);
      connections++;
      await client.say('QUIT');
      return log.includes('lines of it are lost');
    };
    await expect.poll(isReported).toBe(true);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const entries = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly msg: string; readonly lines?: number });
    const count = (message: string): number => entries.filter(({ msg }) => msg === message).length;
    const lost = entries.reduce((sum, { lines = 0 }) => sum + lines, 0);
    expect(count('message accepted')).toBeGreaterThan(100);
    expect(lost).toBeGreaterThan(100);
    expect(count('message accepted') + count('connected') + count('closed') + lost).toBe(messages + 2 * connections);
  });

  it('does not stop a server whose reader has closed the pipe', async () => {
    const port = await freePort();
    const options = words`--listen smtp://127.0.0.1:${String(port)} --auth anonymous --deliver discard`;
    const child = spawnPostern(options, ['ignore', 'ignore', 'pipe']);
    const exited = once(child, 'exit');
    await isUp(port);
    child.stderr?.destroy();
    await sendWide(port, 3);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
