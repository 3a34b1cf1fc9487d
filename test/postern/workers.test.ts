import { unlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { prettyLog, silentLog } from '../../packages/postern/src/log.ts';
import { type Settings, settingsOf } from '../../packages/postern/src/settings.ts';
import { Workers } from '../../packages/postern/src/workers.ts';
import { selfSigned } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { type ServingPostern, spawnPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { execArgv } = process;
beforeAll(() => {
  // A worker inherits these options. Without the filter it would run from source, but Node 22 does
  // not know `using`.
  process.execArgv = execArgv.filter(
    (option, index) => option !== '--conditions' && execArgv[index - 1] !== '--conditions',
  );
});
afterAll(() => {
  process.execArgv = execArgv;
});

const TAKEN = { code: 1, output: expect.stringContaining('another program listens there') };
const SERVE = words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard --log json`;

async function deliver(postern: ServingPostern): Promise<number | undefined> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(postern.urls[0]?.port) } });
  const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
  await using client = await connectSmtp(transport, { hostname: 'localhost', responders });
  const [answer] = await client.send({ from: null, to: [new Mailbox('ann', 'example.com')] }, [Buffer.from('hi\r\n')]);
  return answer?.code;
}

// The proc file system of Linux lists the children of a process.
describe.skipIf(process.platform !== 'linux')('--workers', () => {
  it('serve one port together and stop together', async () => {
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
    // Connections are refused until the next workers listen.
    await expect.poll(() => deliver(postern).catch(() => undefined)).toBe(250);
    const after = await children(postern);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('count failed logins together, also after they have been replaced', async () => {
    using folder = temporaryFolder('workers');
    const limit = 'throttle: { userAndNetwork: { failures: 3, window: 600_000 } },';
    const config = workersConfig(folder.path, '', `auth: ['memory:joe:s3cret'], deliver: 'discard', ${limit}`);
    await using postern = await startPostern('--config', config);
    const codes: string[] = [];
    // Each connection goes to one of the workers.
    for (let n = 0; n < 12; n += 1) codes.push(await codeOfLogin(postern, `guess ${n}`));
    expect(codes).toEqual([...Array(3).fill('535'), ...Array(9).fill('454')]);
    for (const pid of await children(postern)) process.kill(pid, 'SIGKILL');
    await postern.said(/a worker died/, 2);
    await expect.poll(() => codeOfLogin(postern, 's3cret').catch(() => undefined)).toBe('454');
  });

  it('end with their supervisor', async () => {
    const postern = await startPostern(...SERVE, '--workers', '2');
    const workers = await children(postern);
    postern.process.kill('SIGKILL');
    await expect.poll(() => Promise.all(workers.map(lives))).toEqual([false, false]);
  });

  it('are not started on the port of another server', async () => {
    await using postern = await startInProcess(...SERVE);
    expect(await runInProcess(serveAt(postern.urls[0]?.port))).toEqual(TAKEN);
  });

  it('are not started on the port that the workers of another server share', async () => {
    await using postern = await startInProcess(...SERVE, '--workers', '2');
    expect(await runInProcess(serveAt(postern.urls[0]?.port))).toEqual(TAKEN);
  });

  it('are not started for two listeners on one port, which would share its clients', async () => {
    const port = String(await freePort());
    const second = words`--listen smtp://127.0.0.1:${port}?service=mx --auth anonymous`;
    expect(await runInProcess([...serveAt(port), ...second])).toEqual(TAKEN);
  });

  it('end with 2 if the options keep them from starting', async () => {
    const missing = words`--workers 2 --tls-cert missing.pem --tls-key missing.pem`;
    await expect(startPostern(...SERVE, ...missing)).rejects.toThrow(/ended with 2 [\s\S]*--tls-key: expected PEM/);
  });

  it('stop at SIGHUP if no file can be read again', async () => {
    const postern = await startInProcess(...SERVE, '--workers', '2');
    postern.kill('SIGHUP');
    expect(await postern.ended).toBe(0);
    expect(postern.output()).not.toContain('died');
  });

  it('end with a supervisor that is killed while they start', async () => {
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

  it('are replaced after doubling pauses if they die at once, and still stop', async () => {
    using folder = temporaryFolder('workers');
    const doomed = join(folder.path, 'doomed');
    const config = workersConfig(folder.path, `if (existsSync(${JSON.stringify(doomed)})) process.exit(3);`);
    // A stopped clock: each worker dies after 0 ms, however slow the machine is.
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    const pauses: number[] = [];
    const longest = Promise.withResolvers<void>();
    const log = prettyLog((line) => {
      pauses.push(Number(/a worker died.* milliseconds=(\d+)/.exec(line)?.[1]));
      if (pauses.includes(800)) longest.resolve();
    });
    const workers = new Workers(['--config', config], settings(), log);
    await workers.start(1);
    writeFileSync(doomed, '');
    for (const pid of await children({ process })) process.kill(pid, 'SIGKILL');
    await longest.promise;
    expect(pauses).toEqual([200, 400, 800]);
    await workers.stop();
    expect(await children({ process })).toEqual([]);
  });

  it('read the certificate again even if SIGHUP comes while they start', async () => {
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
    // A process of its own, since the output of the workers goes to its standard error.
    await using postern = await startPostern('--config', config);
    writeFileSync(gate, '');
    process.kill((await children(postern))[0] as number, 'SIGKILL');
    await postern.said(/at the gate/);
    postern.kill('SIGHUP');
    await postern.said(/certificate read again/);
    unlinkSync(gate);
    await postern.said(/certificate read again/, 2);
  });

  it('are killed if they do not stop in time', async () => {
    let log = '';
    const workers = new Workers(
      words`--listen smtp://127.0.0.1:0 --auth anonymous --log silent`,
      settings(),
      prettyLog((line) => {
        log += line;
      }),
      { stopTimeout: 1 },
    );
    await workers.start(2);
    const both = await children({ process });
    for (const worker of both) process.kill(worker, 'SIGSTOP');
    await workers.stop();
    expect(log).toContain('workers did not stop, and are killed workers=2');
    expect(await Promise.all(both.map(lives))).toEqual([false, false]);
  });

  it('finish their messages if they stop before the others have started, which then never start', async () => {
    using folder = temporaryFolder('workers');
    const first = join(folder.path, 'first');
    const port = await freePort();
    // Only the first worker starts; the others hang.
    const config = workersConfig(
      folder.path,
      `if (existsSync(${JSON.stringify(first)})) await new Promise((over) => setTimeout(over, 600_000));
       writeFileSync(${JSON.stringify(first)}, '');`,
      `deliver: 'discard', log: 'silent',`,
    );
    const workers = new Workers(['--config', config], settings(port), silentLog);
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

  it('fail to start after the `starting` timeout', async () => {
    using folder = temporaryFolder('workers');
    const config = workersConfig(folder.path, 'await new Promise((over) => setTimeout(over, 600_000));');
    const workers = new Workers(['--config', config], settings(), silentLog, { startTimeout: 1 });
    await expect(workers.start(2)).rejects.toThrow('a worker could not start');
  });
});

/** Resolves with the code of the reply to one login of joe. */
async function codeOfLogin({ urls }: ServingPostern, password: string): Promise<string> {
  using client = new LineClient(connectSocket(Number(urls[0]?.port), '127.0.0.1'));
  await client.hear();
  await client.say('EHLO client.example.com');
  return (await client.say(`AUTH PLAIN ${btoa(`\0joe\0${password}`)}`)).slice(0, 3);
}

/** Returns the settings of the supervisor. */
function settings(port = 0): Settings {
  return settingsOf({ config: { listen: [`smtp://127.0.0.1:${port}`], auth: ['anonymous'] }, nameOf: String });
}

/**
 * Writes a config file for two workers, each of which runs the code `first`, and returns its path.
 */
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

/** Returns a command line with workers on the port. */
function serveAt(port = ''): readonly string[] {
  return words`serve --listen smtp://127.0.0.1:${port} --workers 2 --log silent`;
}

/** Resolves to the ids of the child processes. */
async function children({
  process: { pid },
}: {
  readonly process: { readonly pid?: number | undefined };
}): Promise<readonly number[]> {
  const found: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    // The thread may have ended since `readdir`.
    const list = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    found.push(...list.trim().split(' ').filter(Boolean).map(Number));
  }
  return found;
}

async function lives(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // A zombie (Z) has ended, although its parent has not waited for it.
  return status !== undefined && !/\) Z/.test(status);
}
