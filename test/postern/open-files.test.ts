import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionsWithin, isShort, openFiles } from '../../packages/postern/src/open-files.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { freePort } from '../support/free-port.ts';
import { LineClient } from '../support/line-client.ts';
import { BIN } from '../support/postern.ts';

function settings(listeners: number, maxConnections?: number) {
  const listen = Array.from({ length: listeners }, (_, at) => `smtp://127.0.0.1:${at}`);
  const limits = maxConnections === undefined ? {} : { maxConnections };
  return settingsOf({ config: { listen, auth: ['anonymous'], limits }, nameOf: String });
}

/** A connection of POP3 may open a message. */
function withPop3() {
  const listen = ['smtp://127.0.0.1:0', 'pop3://127.0.0.1:0'];
  return settingsOf({ config: { listen, auth: ['anonymous'], mailboxes: 'maildir:mail' }, nameOf: String });
}

describe('connections', () => {
  it.each([
    [100_000, settings(2), undefined],
    [1_024, settings(1), 992],
    [1_024, settings(2), 496],
    [1_024, settings(1, 992), undefined],
    [1_024, settings(1, 993), 992],
    [10, settings(3), 1],
    [1_024, withPop3(), 330],
    [Number.POSITIVE_INFINITY, settings(1, 1e9), undefined],
  ])('of a process that may open %d files', (files, wanted, most) => {
    expect(connectionsWithin(files, wanted)).toBe(most);
  });
});

describe('the operator', () => {
  it.each([
    [250, settings(1), false],
    [249, settings(1), true],
    [9_999, settings(1, 10_000), true],
  ])('gets a warning of %d connections if they are fewer than configured', (room, wanted, told) => {
    expect(isShort(room, wanted)).toBe(told);
  });
});

describe.skipIf(process.platform !== 'linux')('a process with a low limit of open files', () => {
  it('reads the limit', () => {
    expect(openFiles()).toBeGreaterThan(32);
  });

  it('replies to every client, warns the operator once and recovers', async () => {
    const port = await freePort();
    const options = ['--listen', `smtp://127.0.0.1:${port}`, '--auth', 'anonymous', '--deliver', 'discard'];
    const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, BIN, 'serve', ...options]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await once(child.stdout, 'data');
    const clients = Array.from({ length: 100 }, () => new LineClient(connect(port, '127.0.0.1')));
    const greetings = await Promise.all(clients.map((client) => client.hear()));
    expect(greetings.filter((greeting) => greeting.startsWith('220 '))).toHaveLength(100);
    // New clients displace the oldest: unauthenticated ones hold at most nine tenths of the 32
    // places.
    const farewells: string[] = [];
    for (const client of clients)
      client.hear().then(
        (reply) => farewells.push(reply),
        () => {},
      );
    await expect.poll(() => farewells.length).toBe(71);
    expect(farewells.filter((closingReply) => closingReply.startsWith('421 4.3.2 '))).toHaveLength(71);
    expect([...log.matchAll(/ulimit -n/g)]).toHaveLength(1);
    expect(log).toContain('files=64 connections=32');
    for (const client of clients) client[Symbol.dispose]();
    const isGreeted = async () => {
      using late = new LineClient(connect(port, '127.0.0.1'));
      return (await late.hear()).startsWith('220 ');
    };
    await expect.poll(isGreeted).toBe(true);
  });
});
