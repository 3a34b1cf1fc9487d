import { unlinkSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { prettyLog } from '../../packages/postern/src/log.ts';
import { Workers } from '../../packages/postern/src/workers.ts';
import { selfSigned } from '../support/certificates.ts';
import { LineClient } from '../support/line-client.ts';
import { type ServingPostern, spawnPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { children, deliver, lives, SERVE, settings, useBundleInWorkers, workersConfig } from '../support/workers.ts';

useBundleInWorkers();

// The proc file system of Linux lists the children of a process.
describe.skipIf(process.platform !== 'linux')('--workers', () => {
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
});

/** Resolves with the code of the reply to one login of joe. */
async function codeOfLogin({ urls }: ServingPostern, password: string): Promise<string> {
  using client = new LineClient(connectSocket(Number(urls[0]?.port), '127.0.0.1'));
  await client.hear();
  await client.say('EHLO client.example.com');
  return (await client.say(`AUTH PLAIN ${btoa(`\0joe\0${password}`)}`)).slice(0, 3);
}
