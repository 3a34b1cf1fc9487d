import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { Output } from '../support/output.ts';

const ROOT = join(import.meta.dirname, '../..');

let fences: readonly string[] = [];

beforeAll(async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  fences = Array.from(readme.matchAll(/^```[tj]s\n(.*?)^```$/gms), ([, code]) => String(code));
});

describe('a server of the main README', () => {
  it('is shorter with Postern than with smtp-server', () => {
    expect(fences).toHaveLength(3);
    const [ours = '', theirs = ''] = fences;
    expect(ours.trimEnd().split('\n').length).toBeLessThan(theirs.trimEnd().split('\n').length);
    expect(theirs.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  });

  it.each([
    ['in one call', 0, /^from joe@example\.com to ann@example\.com:\r?\nReceived: .*\nSubject: x\r?\n\r?\nHello/ms],
    ['of parts', 2, /^for ann@example\.com:\r?\nReceived: .*\nSubject: x\r?\n\r?\nHello/ms],
  ])('%s accepts a message as one ESM file without node_modules', async (_name, n, printed) => {
    await takesMessage(fences[n], bundle, printed);
  });

  it('of npm’s smtp-server accepts the same message', async () => {
    await takesMessage(fences[1], save, /^from joe@example\.com to ann@example\.com:\r?\nSubject: x\r?\n\r?\nHello/ms);
  });
});

/** Runs the example on a free port and sends it a message as one of its users. */
async function takesMessage(
  example: string | undefined,
  file: (code: string) => Promise<string>,
  printed: RegExp,
): Promise<void> {
  const port = await freePort();
  expect(example).toContain('2500');
  const output = await start(await file(String(example).replaceAll('2500', String(port))));
  expect(await output(/^listening .*\n/m)).toContain(`listening smtp://127.0.0.1:${port}\n`);
  using client = new LineClient(connect(port, '127.0.0.1'));
  expect(await client.hear()).toMatch(/^220 /);
  expect(await client.say('EHLO client.example')).toMatch(/AUTH .*PLAIN/);
  expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0wrong')}`)).toMatch(/^535 /);
  expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0secret')}`)).toMatch(/^235 /);
  expect(await client.say('MAIL FROM:<joe@example.com>')).toMatch(/^250 /);
  expect(await client.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
  expect(await client.say('DATA')).toMatch(/^354 /);
  expect(await client.say('Subject: x\r\n\r\nHello\r\n.')).toMatch(/^250 /);
  expect(await output(printed)).toMatch(printed);
}

/** Writes the code inside this tree, where it finds the packages, and returns the path. */
async function save(code: string): Promise<string> {
  const folder = join(ROOT, 'test', '.readme');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${crypto.randomUUID()}.mjs`);
  await writeFile(file, code);
  onTestFinished(() => rm(file));
  return file;
}

/**
 * Runs the file until the end of the test. The returned function resolves to the output once it
 * matches.
 */
async function start(file: string): Promise<(pattern: RegExp) => Promise<string>> {
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill();
    await closed;
  });
  const output = new Output();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.append(text));
  }
  void closed.then(() => output.end('the program ended'));
  return async (pattern) => {
    await output.said(pattern);
    return output.text;
  };
}
