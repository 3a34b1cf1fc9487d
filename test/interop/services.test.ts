import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';

let folder: string;
let postern: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-services-'));
  postern = await startPostern(
    ...words`--listen lmtp+unix:${join(folder, 'lmtp')} --listen smtp://127.0.0.1:0?service=mx&xclient=127.0.0.1`,
    ...words`--listen smtp://127.0.0.1:0?service=mx&proxy=127.0.0.1`,
    ...words`--deliver maildir:${join(folder, 'mail')} --domains example.com --hostname mx.example.com --log silent`,
  );
});
afterAll(async () => {
  expect(await postern.stop()).toBe(0);
  await rm(folder, { recursive: true });
});

describe.skipIf(skips('swaks', 'swaks'))('swaks', () => {
  it('61: delivers by LMTP and gets one reply for each recipient', async () => {
    const { code, output } = await run('swaks', [
      ...words`--protocol LMTP --socket ${join(folder, 'lmtp')} --ehlo client.example.org`,
      ...words`--from ann@example.net --to bob@example.com,eve@example.com`,
    ]);
    expect(code, output).toBe(0);
    expect(output.match(/^<- {2}250 2\.0\.0 <\w+@example\.com> OK/gm)).toHaveLength(2);
    for (const name of ['bob', 'eve']) {
      expect(await traceOf(`${name}@example.com`)).toMatch(
        /^Received: from client\.example\.org by mx\.example\.com with LMTP\s/m,
      );
    }
  });

  it('63: forwards the address of a client with XCLIENT', async () => {
    await deliver(1, 'xclient', words`--xclient-addr 198.51.100.7 --xclient-name laptop.example.org`);
    expect(await traceOf('xclient@example.com')).toContain('(laptop.example.org [198.51.100.7])');
  });

  it('64: forwards the address of a client with PROXY version 1 and 2', async () => {
    for (const version of ['1', '2']) {
      const family = version === '1' ? 'TCP4' : 'AF_INET';
      await deliver(2, `proxy${version}`, [
        ...words`--proxy-version ${version} --proxy-family ${family}`,
        ...words`--proxy-source 198.51.100.8 --proxy-source-port 50000 --proxy-dest 203.0.113.5 --proxy-dest-port 25`,
      ]);
      expect(await traceOf(`proxy${version}@example.com`)).toContain('([198.51.100.8])');
    }
  });
});

async function deliver(listener: number, to: string, options: readonly string[]): Promise<void> {
  const { code, output } = await run('swaks', [
    ...words`--server 127.0.0.1:${postern.urls[listener]?.port ?? ''} --from ann@example.net --to ${to}@example.com`,
    ...options,
  ]);
  expect(code, output).toBe(0);
}

/** Resolves to the first 500 characters of the recipient's only message. */
async function traceOf(recipient: string): Promise<string> {
  const inbox = join(folder, 'mail', recipient, 'new');
  const [name = '', ...others] = await readdir(inbox);
  expect(others).toEqual([]);
  return (await readFile(join(inbox, name), 'latin1')).slice(0, 500);
}
