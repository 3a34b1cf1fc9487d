import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { runPostern, spawnPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

/** The URL of the library that belongs to the command under test. */
const LIBRARY = new URL('../../packages/postern/dist/index.js', import.meta.url).href;

const SERVE = ['--listen', 'smtp://127.0.0.1:0', '--auth', 'memory:joe:s3cret'];

/** An address of 240 octets (RFC 5321 §4.5.3.1.3 allows 254). */
const LONG_ADDRESS = `${'a'.repeat(64)}@${`${'b'.repeat(57)}.`.repeat(3)}c`;

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

/** Sends a number of messages on one connection. */
async function send(port: number, messages: number): Promise<void> {
  using client = new LineClient(connect({ port, host: '127.0.0.1' }));
  await client.hear();
  await client.say('EHLO client.example.com');
  for (let message = 0; message < messages; message++) {
    await client.say(`MAIL FROM:<${LONG_ADDRESS}>\r\nRCPT TO:<${LONG_ADDRESS}>\r\nDATA`);
    for (const code of ['250', '354']) expect(await client.hear()).toContain(code);
    expect(await client.say('.')).toMatch(/^250 /);
  }
}

/**
 * Writes a config file that keeps a timer, as a pool of database connections does, and returns its
 * path.
 */
function busyConfig(more = ''): string {
  const file = join(folder, `busy${more.length}.config.js`);
  writeFileSync(file, `setInterval(() => {}, 60_000); export default { auth: ['anonymous'], ${more} };`);
  return file;
}

/**
 * Writes a config file that sends SIGINT to the processes during the start, as Ctrl-C does, and
 * then runs the code `then`. Returns the path.
 */
function impatientConfig(processes: readonly ('pid' | 'ppid')[], then = ''): string {
  const file = join(folder, `impatient${processes.length}${then.length}.config.js`);
  writeFileSync(
    file,
    `import { DeliveryTarget } from ${JSON.stringify(LIBRARY)};
     const prepare = async () => {
       for (const each of ${JSON.stringify(processes)}) process.kill(process[each], 'SIGINT');
       ${then}
     };
     const deliver = new DeliveryTarget(() => Object.assign(() => ({}), { prepare }));
     export default { listen: ['smtp://127.0.0.1:0'], auth: ['anonymous'], deliver };`,
  );
  return file;
}

describe('the command ends', () => {
  it('with 2 although an invalid config file keeps a timer', async () => {
    const { code, output } = await runPostern(['serve', '--config', busyConfig('colour: "red"')]);
    expect(output).toMatch(/^postern: .*colour: unknown property; expected listen, auth/);
    expect(code).toBe(2);
  });

  it('with 0 after explain although the config file keeps a timer', async () => {
    const { code, output } = await runPostern(['explain', '--config', busyConfig()]);
    expect(output).toMatch(/offered: ANONYMOUS/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal during the start', async () => {
    const { code, output } = await runPostern(['serve', '--config', impatientConfig(['pid'])]);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal during a start that hangs', async () => {
    const hanging = impatientConfig(['pid'], 'await new Promise((over) => setTimeout(over, 600_000));');
    const { code, output } = await runPostern(['serve', '--config', hanging]);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(output).not.toContain('listening');
    expect(code).toBe(0);
  });

  it.skipIf(process.platform === 'win32')('with 0 at a signal to all processes while the workers start', async () => {
    const impatient = impatientConfig(['ppid', 'pid']);
    const { code, output } = await runPostern(words`serve --workers 2 --config ${impatient}`);
    expect(output).toMatch(/stopping signal=SIGINT[\s\S]*stopped/);
    expect(output).not.toMatch(/died/);
    expect(code).toBe(0);
  });

  it.skipIf(process.platform !== 'linux').each(['pretty', 'json'])(
    'with 0 at a signal although writing its output and its log fails (%s)',
    async (log) => {
      const port = await freePort();
      // Writing to /dev/full fails with ENOSPC.
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
    'with 0 at a signal, and serves before, although the reader of its log has stalled (%s)',
    async (log) => {
      const port = await freePort();
      const options = ['--listen', `smtp://127.0.0.1:${port}`, '--auth', 'anonymous', '--deliver', 'discard'];
      // No listener reads the pipe, so the pipe fills.
      const child = spawnPostern([...options, '--log', log], ['ignore', 'ignore', 'pipe']);
      const exited = once(child, 'exit');
      await expect.poll(() => isGreeted(port)).toBe(true);
      // Each message is a line of the log, more than 500 octets. A pipe and the buffer of its
      // reader hold 128 KiB.
      await send(port, 500);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    },
  );

  it.skipIf(process.platform === 'win32')('with 0 at SIGHUP if no file can be read again', async () => {
    const server = await startPostern(...SERVE);
    server.kill('SIGHUP');
    await server.said(/stopping signal=SIGHUP/);
    expect(await server.ended).toBe(0);
  });
});
