import { AvatarRealm, checker, Identity, identityOf, Portal, UsernamePassword } from '@postern/cred';
import { dovecotUserdb, policy, socketmap } from '@postern/dovecot-auth';
import { readChunk, settle } from '@postern/testing';
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

// No test advances the clock: nothing waits for an end of the client's side, which does not come.
describe('a server that shuts down closes an idle connection without a wait for the client', () => {
  test.each([
    ['dovecotAuth', new AuthServer().protocol],
    ['dovecotUserdb', dovecotUserdb({ portal: directoryPortal() })],
  ])('%s', async (_name, protocol) => {
    const { client, shutdown, ended } = connect(protocol);
    await client.write('VERSION\t1\t0\nCPID\t1\n');
    await settle();
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
