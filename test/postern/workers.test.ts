import { readdir, readFile } from 'node:fs/promises';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

const SERVE = words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard --log json`;

async function deliver(postern: RunningPostern): Promise<number | undefined> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(postern.urls[0]?.port) } });
  const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
  await using client = await connectSmtp(transport, { hostname: 'localhost', responders });
  const [answer] = await client.send({ from: null, to: [new Mailbox('ann', 'example.com')] }, [Buffer.from('hi\r\n')]);
  return answer?.code;
}

/** Resolves when the server has said this, and so often. */
async function said(postern: RunningPostern, what: RegExp, times = 1): Promise<void> {
  const heard = () => [...postern.output().matchAll(new RegExp(what, 'g'))].length >= times;
  if (heard()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  postern.process.stderr?.on('data', () => heard() && resolve());
  await promise;
}

// Who is whose child is read from the proc file system.
describe.skipIf(process.platform !== 'linux')('--workers', () => {
  it('serve one port together, and leave together', async () => {
    const postern = await startPostern(...SERVE, '--workers', '3');
    expect(postern.urls).toHaveLength(1);
    expect(await children(postern)).toHaveLength(3);
    const codes = await Promise.all(Array.from({ length: 20 }, () => deliver(postern)));
    expect(new Set(codes)).toEqual(new Set([250]));
    expect(await postern.stop()).toBe(0);
    expect(postern.output()).toMatch(/stopping[\s\S]*stopped/);
  });

  it('are replaced when they die', async () => {
    await using postern = await startPostern(...SERVE, '--workers', '2');
    const before = await children(postern);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await said(postern, /a worker died/, 2);
    // Until the next ones listen nobody does.
    await expect.poll(() => deliver(postern).catch(() => undefined), { timeout: 8_000 }).toBe(250);
    const after = await children(postern);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('end with their supervisor', async () => {
    const postern = await startPostern(...SERVE, '--workers', '2');
    const workers = await children(postern);
    postern.process.kill('SIGKILL');
    await expect.poll(() => Promise.all(workers.map(lives)), { timeout: 8_000 }).toEqual([false, false]);
  });

  it('are not started where one cannot', async () => {
    await using postern = await startPostern(...SERVE);
    const taken = words`--listen smtp://127.0.0.1:${postern.urls[0]?.port ?? ''} --workers 2 --log silent`;
    await expect(startPostern(...taken)).rejects.toThrow(/ended with 1 [\s\S]*another program listens there/);
  });

  it.each(['0', 'many', '1.5'])('cannot be %s', async (count) => {
    await expect(startPostern('--workers', count)).rejects.toThrow(/ended with 2 [\s\S]*--workers: expected/);
  });
});

async function children({ process: { pid } }: RunningPostern): Promise<readonly number[]> {
  const found: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const list = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
    found.push(...list.trim().split(' ').filter(Boolean).map(Number));
  }
  return found;
}

async function lives(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // A zombie is dead; who reaps it is nobody's business.
  return status !== undefined && !/\) Z/.test(status);
}
