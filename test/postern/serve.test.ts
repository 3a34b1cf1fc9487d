import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { MessageDelivery } from '@postern/esmtp';
import { describe, expect, it } from 'vitest';
import { DeliveryTarget } from '../../packages/postern/src/delivery-target.ts';
import { prettyLog, silentLog } from '../../packages/postern/src/log.ts';
import { startServer } from '../../packages/postern/src/serve.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { LineClient } from '../support/line-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a closing server', () => {
  it('sends 421 to slow clients after the timeout and removes a half-received message', async () => {
    using folder = temporaryFolder('serve');
    const config = {
      listen: ['smtp://127.0.0.1:0'],
      auth: ['anonymous'],
      deliver: `maildir:${folder.path}`,
      domains: '*',
    } as const;
    const context = { log: silentLog, print: async () => {}, hostname: 'mx.example.com' };
    const server = await startServer(settingsOf({ config, nameOf: String }), context);
    const port = Number(server.listeners[0]?.address.port);
    using waiting = await transaction(port);
    using sending = await transaction(port);
    expect(await sending.say('DATA')).toMatch(/^354 /);
    sending.socket.write('Subject: half a mess');

    const closed = server.close(1_000);
    for (const client of [waiting, sending]) expect(await client.hear()).toMatch(/^421 4\.3\.2 /);
    await closed;
    expect(readdirSync(join(folder.path, 'ann@example.com/tmp'))).toEqual([]);
    expect(readdirSync(join(folder.path, 'ann@example.com/new'))).toEqual([]);
  });

  it('logs the number of connections that it closes during a hanging delivery', async () => {
    const delivering = Promise.withResolvers<void>();
    const end = () => {
      delivering.resolve();
      return new Promise<void>(() => {});
    };
    const delivery = { validateFrom() {}, validateTo() {}, openMessage: () => ({ write() {}, end, abort() {} }) };
    const deliver = new DeliveryTarget(() => () => Object.assign(Object.create(MessageDelivery.prototype), delivery));
    const config = { listen: ['smtp://127.0.0.1:0'], auth: ['anonymous'], deliver };
    const told = Promise.withResolvers<string>();
    const log = prettyLog((line) => / (warn|error) /.test(line) && told.resolve(line));
    const context = { log, print: async () => {}, hostname: 'mx.example.com' };
    const server = await startServer(settingsOf({ config, nameOf: String }), context);
    using client = await transaction(Number(server.listeners[0]?.address.port));
    expect(await client.say('DATA')).toMatch(/^354 /);
    client.socket.write('.\r\n');
    await delivering.promise;
    await server.close(100);
    expect(await told.promise).toContain(
      ' warn  the shutdown timeout is over, and connections are cut off connections=1',
    );
  });
});

/** Connects and sends all commands of a transaction up to RCPT. */
async function transaction(port: number): Promise<LineClient> {
  const client = new LineClient(connect(port, '127.0.0.1'));
  await client.hear();
  await client.say('EHLO client.example.com');
  expect(await client.say('MAIL FROM:<bob@example.com>')).toMatch(/^250 /);
  expect(await client.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
  return client;
}
