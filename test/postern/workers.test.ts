import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../packages/postern/src/log.ts';
import { Workers } from '../../packages/postern/src/workers.ts';
import { freePort } from '../support/free-port.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { children, deliver, SERVE, settings, useBundleInWorkers, workersConfig } from '../support/workers.ts';

const TAKEN = { code: 1, output: expect.stringContaining('another program listens there') };

useBundleInWorkers();

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

/** Returns a command line with workers on the port. */
function serveAt(port = ''): readonly string[] {
  return words`serve --listen smtp://127.0.0.1:${port} --workers 2 --log silent`;
}
