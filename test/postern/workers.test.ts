import { unlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLog, prettyLog } from '../../packages/postern/src/log.ts';
import { type Settings, settingsOf } from '../../packages/postern/src/settings.ts';
import { Workers } from '../../packages/postern/src/workers.ts';
import { selfSigned } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { type RunningPostern, spawnPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Else a worker that a test makes itself would run from source, as this process does: Node 22 does not know `using`.
process.execArgv = process.execArgv.filter(
  (option, at, all) => option !== '--conditions' && all[at - 1] !== '--conditions',
);

const SERVE = words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard --log json`;

async function deliver(postern: RunningPostern): Promise<number | undefined> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(postern.urls[0]?.port) } });
  const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
  await using client = await connectSmtp(transport, { hostname: 'localhost', responders });
  const [answer] = await client.send({ from: null, to: [new Mailbox('ann', 'example.com')] }, [Buffer.from('hi\r\n')]);
  return answer?.code;
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
    await postern.said(/a worker died/, 2);
    // Until the next ones listen nobody does.
    await expect.poll(() => deliver(postern).catch(() => undefined)).toBe(250);
    const after = await children(postern);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('end with their supervisor', async () => {
    const postern = await startPostern(...SERVE, '--workers', '2');
    const workers = await children(postern);
    postern.process.kill('SIGKILL');
    await expect.poll(() => Promise.all(workers.map(lives))).toEqual([false, false]);
  });

  it('are not started where one cannot', async () => {
    await using postern = await startPostern(...SERVE);
    const taken = words`--listen smtp://127.0.0.1:${postern.urls[0]?.port ?? ''} --workers 2 --log silent`;
    await expect(startPostern(...taken)).rejects.toThrow(/ended with 1 [\s\S]*another program listens there/);
  });

  it('are not started where the port is that of another server that shares it among its workers', async () => {
    await using postern = await startPostern(...SERVE, '--workers', '2');
    const taken = words`--listen smtp://127.0.0.1:${postern.urls[0]?.port ?? ''} --workers 2 --log silent`;
    await expect(startPostern(...taken)).rejects.toThrow(/ended with 1 [\s\S]*another program listens there/);
  });

  it('are not started where two listeners are on one port, which would share its clients out', async () => {
    const port = String(await freePort());
    const twice = words`--listen smtp://127.0.0.1:${port} --listen smtp://127.0.0.1:${port}?service=mx`;
    await expect(startPostern(...twice, ...words`--workers 2 --auth anonymous --log silent`)).rejects.toThrow(
      /ended with 1 [\s\S]*another program listens there/,
    );
  });

  it('end with 2 where it is the options that none of them can start with', async () => {
    const missing = words`--workers 2 --tls-cert missing.pem --tls-key missing.pem`;
    await expect(startPostern(...SERVE, ...missing)).rejects.toThrow(/ended with 2 [\s\S]*--tls-key: expected PEM/);
  });

  it('leave at SIGHUP where there is no certificate to read again', async () => {
    const postern = await startPostern(...SERVE, '--workers', '2');
    postern.process.kill('SIGHUP');
    expect(await postern.ended).toBe(0);
    expect(postern.output()).not.toContain('died');
  });

  it('end with a supervisor that is killed before they have started', async () => {
    using folder = temporaryFolder('workers');
    const file = join(folder.path, 'postern.config.js');
    const waits = 'if (process.env.POSTERN_WORKER) await new Promise((over) => setTimeout(over, 600_000));';
    writeFileSync(file, `${waits} export default { workers: 2 };`);
    const supervisor = spawnPostern(['--config', file], 'ignore');
    const begun = () => children({ process: supervisor });
    await expect.poll(begun).toHaveLength(1);
    const [worker = 0] = await begun();
    supervisor.kill('SIGKILL');
    await expect.poll(() => lives(worker)).toBe(false);
  });

  it('are replaced ever later if they die at once, and leave no less for that', async () => {
    using folder = temporaryFolder('workers');
    const doomed = join(folder.path, 'doomed');
    const config = workersConfig(folder.path, `if (existsSync(${JSON.stringify(doomed)})) process.exit(3);`);
    // None has lived for long, however long it takes here.
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    const pauses: number[] = [];
    const longest = Promise.withResolvers<void>();
    const log = prettyLog((line) => {
      pauses.push(Number(/a worker died.* milliseconds=(\d+)/.exec(line)?.[1]));
      if (pauses.filter((pause) => pause === 800).length === 2) longest.resolve();
    });
    const workers = new Workers(['--config', config], settings(), log);
    await workers.start(2);
    writeFileSync(doomed, '');
    for (const pid of await children({ process })) process.kill(pid, 'SIGKILL');
    await longest.promise;
    // Two at a time, one of which may be ahead of the other.
    expect(pauses.filter((pause) => pause <= 800).sort((one, other) => one - other)).toEqual([
      200, 200, 400, 400, 800, 800,
    ]);
    await workers.stop();
    expect(await children({ process })).toEqual([]);
  });

  it('read the certificate again also if they were just about to listen', async () => {
    using folder = temporaryFolder('workers');
    const gate = join(folder.path, 'gate');
    const { cert, key } = await selfSigned();
    const files = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
    const waits = `
      const isShut = () => existsSync(${JSON.stringify(gate)});
      if (isShut()) console.error('at the gate');
      while (isShut()) await new Promise((over) => setTimeout(over, 10));`;
    const config = workersConfig(folder.path, waits, `tls: ${JSON.stringify(files)},`);
    await using postern = await startPostern('--config', config);
    writeFileSync(gate, '');
    process.kill((await children(postern))[0] as number, 'SIGKILL');
    await postern.said(/at the gate/);
    postern.process.kill('SIGHUP');
    await postern.said(/certificate read again/);
    unlinkSync(gate);
    await postern.said(/certificate read again/, 2);
  });

  it('are killed if they do not leave', async () => {
    let log = '';
    const workers = new Workers(
      words`--listen smtp://127.0.0.1:0 --auth anonymous --log silent`,
      settings(),
      prettyLog((line) => {
        log += line;
      }),
      { stopping: 1 },
    );
    await workers.start(2);
    const both = await children({ process });
    for (const worker of both) process.kill(worker, 'SIGSTOP');
    await workers.stop();
    expect(log).toContain('workers did not stop, and are killed workers=2');
    expect(await Promise.all(both.map(lives))).toEqual([false, false]);
  });

  it('leave as they do later while others have not started yet, who come no more', async () => {
    using folder = temporaryFolder('workers');
    const first = join(folder.path, 'first');
    const port = await freePort();
    // All but the first one hang.
    const config = workersConfig(
      folder.path,
      `if (existsSync(${JSON.stringify(first)})) await new Promise((over) => setTimeout(over, 600_000));
       writeFileSync(${JSON.stringify(first)}, '');`,
      `deliver: 'discard', log: 'silent',`,
    );
    const workers = new Workers(['--config', config], settings(port), openLog('silent'));
    const started = workers.start(2);
    const refused = expect(started).rejects.toThrow('a worker could not start');
    const both = () => children({ process });
    await expect.poll(both).toHaveLength(2);
    using client = new LineClient(connectSocket(port, '127.0.0.1'));
    await client.hear();
    await client.say('EHLO client.example.com');
    for (const line of ['MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.com>']) {
      expect(await client.say(line)).toMatch(/^250 /);
    }
    expect(await client.say('DATA')).toMatch(/^354 /);
    const stopped = workers.stop();
    await expect.poll(both).toHaveLength(1);
    expect(await client.say('.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 /);
    await stopped;
    await refused;
    expect(await both()).toEqual([]);
  });

  it('cannot start if they take too long', async () => {
    using folder = temporaryFolder('workers');
    const config = workersConfig(folder.path, 'await new Promise((over) => setTimeout(over, 600_000));');
    const workers = new Workers(['--config', config], settings(), openLog('silent'), { starting: 1 });
    await expect(workers.start(2)).rejects.toThrow('a worker could not start');
  });

  it.each(['0', 'many', '1.5', '1e9'])('cannot be %s', async (count) => {
    await expect(startPostern('--workers', count)).rejects.toThrow(/ended with 2 [\s\S]*--workers: expected/);
  });
});

/** What their supervisor has read. */
function settings(port = 0): Settings {
  return settingsOf({ config: { listen: [`smtp://127.0.0.1:${port}`], auth: ['anonymous'] }, nameOf: String });
}

/** A config file for two workers, which do this first. */
function workersConfig(folder: string, first: string, more = ''): string {
  const file = join(folder, 'postern.config.js');
  const config = `{ workers: 2, listen: ['smtp://127.0.0.1:0'], auth: ['anonymous'], log: 'json', ${more} }`;
  writeFileSync(
    file,
    `import { existsSync, writeFileSync } from 'node:fs';
     if (process.env.POSTERN_WORKER) { ${first} }
     export default ${config};`,
  );
  return file;
}

async function children({
  process: { pid },
}: {
  readonly process: { readonly pid?: number | undefined };
}): Promise<readonly number[]> {
  const found: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    // A thread may have ended meanwhile.
    const list = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    found.push(...list.trim().split(' ').filter(Boolean).map(Number));
  }
  return found;
}

async function lives(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // A zombie is dead; who reaps it is nobody's business.
  return status !== undefined && !/\) Z/.test(status);
}
