import { AvatarRealm, checker, Identity, identityOf, Portal, UsernamePassword } from '@postern/cred';
import { dovecotUserdb, policy, saslauthd, socketmap } from '@postern/dovecot-auth';
import { FakeClock, portalFor, readChunk, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { connect, directoryPortal } from './lookup.ts';
import { AuthServer } from './server.ts';

const POSTFIX = { family: 'unix', address: '', port: 0 } as const;

/** Reads until the text has arrived, or the server ends its side. Returns all that was read. */
async function readUntil(client: Parameters<typeof readChunk>[0], end: string | undefined): Promise<string> {
  let text = '';
  while (end === undefined || !text.includes(end)) {
    const chunk = await readChunk(client);
    if (chunk === undefined) break;
    text += Buffer.from(chunk).toString();
  }
  return text;
}

// Nothing waits for an end of the client's side, which does not come.
describe('a server that shuts down closes an idle connection without a wait for the client', () => {
  const clock = new FakeClock();

  test.each([
    ['dovecotAuth', new AuthServer({ clock }).protocol],
    ['dovecotUserdb', dovecotUserdb({ portal: directoryPortal(), clock })],
  ])('%s', async (_name, protocol) => {
    const { client, shutdown, ended } = connect(protocol);
    await client.write('VERSION\t1\t0\nCPID\t1\n');
    await settle();
    await clock.advance(1_000);
    shutdown.abort();
    await ended;
    expect(await readUntil(client, undefined)).toMatch(/^VERSION\t1\t3\n/);
  });

  test.each([
    ['policy', policy({ portal: directoryPortal() })],
    ['socketmap', socketmap({ portal: directoryPortal() })],
  ])('%s', async (_name, protocol) => {
    const { client, shutdown, ended } = connect(protocol);
    shutdown.abort();
    await ended;
    expect(await readChunk(client)).toBeUndefined();
  });
});

describe('a server that shuts down answers the requests in flight, and closes without a wait for the client', () => {
  test('dovecotAuth', async () => {
    const judgement = Promise.withResolvers<string>();
    const realm = new AvatarRealm().provide(Identity, identityOf);
    const portal = new Portal(realm).register(checker([UsernamePassword], () => judgement.promise));
    const { client, shutdown, ended } = connect(new AuthServer({ portal }).protocol, { client: POSTFIX });
    await client.write(`VERSION\t1\t0\nAUTH\t7\tPLAIN\tresp=${Buffer.from('\0joe\0s3cret').toString('base64')}\n`);
    await readUntil(client, 'DONE\n');
    shutdown.abort();
    await settle();
    judgement.resolve('joe');
    expect(await readUntil(client, undefined)).toBe('OK\t7\tuser=joe\n');
    await ended;
  });

  test('dovecotUserdb', async () => {
    const { client, shutdown, ended } = connect(dovecotUserdb({ portal: directoryPortal(true) }));
    await readUntil(client, 'SPID');
    await client.write('VERSION\t1\t0\nUSER\t7\tann@example.com\n');
    shutdown.abort();
    expect(await readUntil(client, undefined)).toContain('USER\t7\tann@example.com\n');
    await ended;
  });
});

// Postfix and Exim answer 454 or 435 for a connection that closes behind a request. Postfix refuses
// all clients for a minute if its handshake fails.
describe('a server that shuts down answers a request that it has not read', () => {
  const response = Buffer.from('\0joe\0s3cret').toString('base64');

  test('of a mail server whose connection was idle', async () => {
    const server = new AuthServer();
    const { client, shutdown, ended } = connect(server.protocol, { client: POSTFIX });
    await client.write('VERSION\t1\t0\nCPID\t1\n');
    await readUntil(client, 'DONE\n');
    await server.clock.advance(1_000);
    await settle();
    shutdown.abort();
    await client.write(`AUTH\t7\tPLAIN\tresp=${response}\n`);
    expect(await readUntil(client, undefined)).toBe('OK\t7\tuser=joe\n');
    await ended;
  });

  test('of a mail server in its handshake', async () => {
    const { client, shutdown, ended } = connect(new AuthServer().protocol, { client: POSTFIX });
    await readUntil(client, 'DONE\n');
    shutdown.abort();
    for (let turn = 0; turn < 5; turn++) await settle();
    await client.write('VERSION\t1\t0\nCPID\t1\n');
    for (let turn = 0; turn < 5; turn++) await settle();
    await client.write(`AUTH\t7\tPLAIN\tresp=${response}\n`);
    expect(await readUntil(client, undefined)).toBe('OK\t7\tuser=joe\n');
    await ended;
  });

  test('of a client of saslauthd', async () => {
    const { client, shutdown, ended } = connect(
      saslauthd({ portal: portalFor({ joe: 's3cret' }, Identity, identityOf) }),
    );
    shutdown.abort();
    await settle();
    await client.write('\0\u0003joe\0\u0006s3cret\0\u0004smtp\0\0');
    expect(await readUntil(client, undefined)).toBe('\0\u0002OK');
    client.end();
    await ended;
  });

  test('and closes the connection of a client that says nothing, after a second', async () => {
    const server = new AuthServer();
    const { client, shutdown, ended } = connect(server.protocol, { client: POSTFIX });
    await readUntil(client, 'DONE\n');
    shutdown.abort();
    await settle();
    await server.clock.advance(999);
    await settle();
    await server.clock.advance(1);
    await ended;
    expect(await readChunk(client)).toBeUndefined();
  });
});
