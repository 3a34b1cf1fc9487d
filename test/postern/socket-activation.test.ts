import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startActivated } from '../support/activated.ts';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { skips, words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SERVE = words`--auth memory:joe:s3cret --deliver discard --log json`;

// The proc file system of Linux lists the addresses of sockets.
describe.skipIf(process.platform !== 'linux' || skips('python3', 'python3'))('sockets of a service manager', () => {
  it('are used by the listeners with their addresses, and outlive the server', async () => {
    using folder = temporaryFolder('activation');
    const path = join(folder.path, 'lmtp');
    const port = String(await freePort());
    const sockets = [`lmtp=unix:${path}`, `submission=tcp:127.0.0.1:${port}`, `more=tcp:127.0.0.1:0`];
    const listen = words`--listen lmtp+unix:${path}?mode=600 --listen smtp://127.0.0.1:${port}`;
    const postern = await startActivated(sockets, [...listen, ...SERVE]);
    const file = statSync(path);
    expect(file.mode & 0o777).toBe(0o660);
    expect(postern.output()).toMatch(/"name":"more","fd":5,"address":"tcp:[^\n]*no listener uses an inherited socket/);
    expect(postern.output().match(/no listener uses/g)).toHaveLength(1);
    for (const place of [{ path }, { port: Number(port), host: '127.0.0.1' }]) {
      using client = new LineClient(connect(place));
      expect(await client.hear()).toMatch(/^220 /);
    }
    postern.restart();
    await postern.said(/"stopped"/);
    // These connections wait for the next process.
    using waiting = new LineClient(connect(path));
    using other = new LineClient(connect(Number(port), '127.0.0.1'));
    expect([await waiting.hear(), await other.hear()]).toEqual([
      expect.stringMatching(/^220 /),
      expect.stringMatching(/^220 /),
    ]);
    await postern.said(/^listening /m, 4);
    expect(await postern.stop()).toBe(0);
    expect(statSync(path).ino).toBe(file.ino);
  });

  it('are shared by workers, whose environment does not name them', async () => {
    const port = String(await freePort());
    const listen = words`--listen smtp://127.0.0.1:${port} --workers 2`;
    await using postern = await startActivated([`submission=tcp:127.0.0.1:${port}`], [...listen, ...SERVE]);
    for (let client = 0; client < 4; client++) {
      using line = new LineClient(connect(Number(port), '127.0.0.1'));
      expect(await line.hear()).toMatch(/^220 /);
    }
    expect(postern.output()).not.toMatch(/warn/);
  });

  it.skipIf(skips('systemd-socket-activate', 'systemd'))('are taken from systemd-socket-activate', async () => {
    using folder = temporaryFolder('activation');
    const path = join(folder.path, 'lmtp');
    const launcher = words`systemd-socket-activate --listen=${path} --fdname=lmtp`;
    const starting = startActivated([], [...words`--listen lmtp+unix:${path}`, ...SERVE], launcher);
    // systemd-socket-activate starts the command at the first connection.
    await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.isSocket()).toBe(true);
    using client = new LineClient(connect(path));
    expect(await client.hear()).toMatch(/^220 /);
    const postern = await starting;
    postern.kill('SIGTERM');
    expect(await postern.stop()).toBe(0);
    expect(statSync(path).isSocket()).toBe(true);
  });
});
