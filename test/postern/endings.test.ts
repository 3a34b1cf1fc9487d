import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { BIN, spawnPostern, startPostern } from '../support/postern.ts';
import { run } from '../support/program.ts';

/** The library of the command that the tests run. */
const LIBRARY = new URL('../../packages/postern/dist/index.js', import.meta.url).href;

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

/** Sends so many messages on one connection. */
async function send(port: number, messages: number): Promise<void> {
  using client = new LineClient(connect({ port, host: '127.0.0.1' }));
  await client.hear();
  await client.say('EHLO client.example.com');
  for (let message = 0; message < messages; message++) {
    await client.say('MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA');
    for (const code of ['250', '354']) expect(await client.hear()).toContain(code);
    expect(await client.say('.')).toMatch(/^250 /);
  }
}

/** A config file that keeps something open, as a pool of database connections does. */
function busyConfig(more = ''): string {
  const file = join(folder, `busy${more.length}.config.js`);
  writeFileSync(file, `setInterval(() => {}, 60_000); export default { auth: ['anonymous'], ${more} };`);
  return file;
}

/** A config file with which these processes get SIGINT in the middle of the start, as by Ctrl-C; then it goes on, if it does. */
function impatientConfig(processes: readonly ('pid' | 'ppid')[], then = ''): string {
  const file = join(folder, `impatient${processes.length}${then.length}.config.js`);
  writeFileSync(
    file,
    `import { Place } from ${JSON.stringify(LIBRARY)};
     const prepare = async () => { for (const each of ${JSON.stringify(processes)}) process.kill(process[each], 'SIGINT'); ${then} };
     const deliver = new Place(() => Object.assign(() => ({}), { prepare }));
     export default { listen: ['smtp://127.0.0.1:0'], auth: ['anonymous'], deliver };`,
  );
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
    expect(output).toMatch(/offered: ANONYMOUS/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal that comes while it starts', async () => {
    const { code, output } = await run(process.execPath, [BIN, 'serve', '--config', impatientConfig(['pid'])]);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal also if the start hangs', async () => {
    const hanging = impatientConfig(['pid'], 'await new Promise((over) => setTimeout(over, 600_000));');
    const { code, output } = await run(process.execPath, [BIN, 'serve', '--config', hanging]);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(output).not.toContain('listening');
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal that all get while the workers start', async () => {
    const impatient = impatientConfig(['ppid', 'pid']);
    const { code, output } = await run(process.execPath, [BIN, 'serve', '--workers', '2', '--config', impatient]);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(output).not.toMatch(/died/);
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
      await expect.poll(() => isGreeted(port)).toBe(true);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    },
  );

  it.skipIf(process.platform !== 'linux').each(['pretty', 'json'])(
    'with 0, and serves before, though whoever reads its log has stalled (%s)',
    async (log) => {
      const port = await freePort();
      const options = ['--listen', `smtp://127.0.0.1:${port}`, '--auth', 'anonymous', '--deliver', 'discard'];
      // Nobody listens to the pipe's data, so that it fills.
      const child = spawnPostern([...options, '--log', log], ['ignore', 'ignore', 'pipe']);
      const exited = once(child, 'exit');
      await expect.poll(() => isGreeted(port)).toBe(true);
      // Each is a line of the log: more than a pipe and its reader hold.
      await send(port, 4_000);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    },
  );

  it.skipIf(process.platform === 'win32')('with 0 at SIGHUP, where there is no certificate to read again', async () => {
    const server = await startPostern(...SERVE);
    server.process.kill('SIGHUP');
    await server.said(/stopping signal=SIGHUP/);
    expect(await server.ended).toBe(0);
  });
});
