import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { BIN, spawnPostern, startPostern } from '../support/postern.ts';
import { run } from '../support/program.ts';
import { said } from './said.ts';

const SERVE = ['--listen', 'smtp://127.0.0.1:0', '--auth', 'memory:joe:s3cret'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-endings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function isGreeted(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A config file that keeps something open, as a pool of database connections does. */
function busyConfig(more = ''): string {
  const file = join(folder, `busy${more.length}.config.js`);
  writeFileSync(file, `setInterval(() => {}, 60_000); export default { auth: ['anonymous'], ${more} };`);
  return file;
}

describe('the command ends', () => {
  it('though a config file that is wrong keeps something open', async () => {
    const { code, output } = await run(process.execPath, [BIN, 'serve', '--config', busyConfig('colour: "red"')]);
    expect(output).toMatch(/^postern: .*unknown property "colour"/);
    expect(code).toBe(2);
  });

  it('though the config file that it explained keeps something open', async () => {
    const { code, output } = await run(process.execPath, [BIN, 'explain', '--config', busyConfig()]);
    expect(output).toMatch(/ANONYMOUS +offered/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform !== 'linux').each(['pretty', 'json'])(
    'with 0, as a signal wants it, though nobody hears what it says (%s)',
    async (log) => {
      const port = await freePort();
      // Writing there fails with ENOSPC.
      const full = openSync('/dev/full', 'w');
      const child = spawnPostern(['--listen', `smtp://127.0.0.1:${port}`, '--log', log], ['ignore', full, full]);
      closeSync(full);
      const exited = once(child, 'exit');
      await expect.poll(() => isGreeted(port), { timeout: 8_000 }).toBe(true);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    },
  );

  it.skipIf(process.platform === 'win32')('with 0 at SIGHUP, where there is no certificate to read again', async () => {
    const server = await startPostern(...SERVE);
    const exited = once(server.process, 'exit');
    server.process.kill('SIGHUP');
    await said(server, /stopping signal=SIGHUP/);
    expect(await exited).toEqual([0, null]);
  });
});
