import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type InheritedSocket, InheritedSockets } from '@postern/node';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('InheritedSockets.take', () => {
  it('removes the variables, so that no child takes the sockets for its own', () => {
    const env = { LISTEN_PID: '10', LISTEN_FDS: '1', LISTEN_FDNAMES: 'auth', PATH: '/bin' };
    expect(InheritedSockets.take({ env, pid: 10 }).sockets).toHaveLength(1);
    expect(env).toEqual({ PATH: '/bin' });
  });

  it.each([
    ['another process', { LISTEN_PID: '11', LISTEN_FDS: '1' }],
    ['no process', { LISTEN_FDS: '1' }],
    ['no number', { LISTEN_PID: '10', LISTEN_FDS: 'one' }],
    ['a negative number', { LISTEN_PID: '10', LISTEN_FDS: '-1' }],
    ['nothing', {}],
  ])('finds no socket in variables for %s', (_what, env) => {
    expect(InheritedSockets.take({ env, pid: 10 }).sockets).toEqual([]);
  });

  it('numbers the descriptors from 3, and leaves a missing name empty (sd_listen_fds(3))', () => {
    const env = { LISTEN_PID: '10', LISTEN_FDS: '3', LISTEN_FDNAMES: 'auth:policy' };
    const { sockets } = InheritedSockets.take({ env, pid: 10 });
    expect(sockets.map(({ fd, name }) => [fd, name])).toEqual([
      [3, 'auth'],
      [4, 'policy'],
      [5, ''],
    ]);
  });
});

describe('InheritedSockets.find', () => {
  const sockets: readonly InheritedSocket[] = [
    { fd: 3, name: 'auth', address: { family: 'unix', address: '/run/postern/auth', port: 0 } },
    { fd: 4, name: 'submission', address: { family: 'IPv6', address: '::', port: 587 } },
    { fd: 5, name: 'local', address: { family: 'IPv4', address: '127.0.0.1', port: 25 } },
    { fd: 6, name: '/run/other', address: undefined },
    { fd: 7, name: 'local6', address: { family: 'IPv6', address: '::1', port: 25 } },
  ];
  const inherited = new InheritedSockets(sockets);

  it.each([
    [{ path: '/run/postern/auth' }, 3],
    [{ path: '/run/./postern//auth' }, 3],
    [{ path: '/run/postern/auth2' }, undefined],
    [{ host: '*', port: 587 }, 4],
    [{ host: '::', port: 587 }, 4],
    [{ host: '0.0.0.0', port: 587 }, undefined],
    [{ host: '*', port: 588 }, undefined],
    [{ host: '127.0.0.1', port: 25 }, 5],
    [{ host: '0:0:0:0:0:0:0:1', port: 25 }, 7],
    [{ host: 'localhost', port: 25 }, 5],
    [{ path: '/run/other' }, 6],
    [{ path: '/run/postern/submission' }, undefined],
  ])('compares the address with the endpoint: %j', async (endpoint, fd) => {
    expect((await inherited.find(endpoint))?.fd).toBe(fd);
  });

  it('follows symbolic links to the folder, as from /var/run to /run', async () => {
    using folder = temporaryFolder('inherited');
    mkdirSync(join(folder.path, 'run'));
    symlinkSync('run', join(folder.path, 'link'));
    const address = { family: 'unix', address: join(folder.path, 'run', 'auth'), port: 0 } as const;
    const found = await new InheritedSockets([{ fd: 3, name: '', address }]).find({
      path: join(folder.path, 'link', 'auth'),
    });
    expect(found?.fd).toBe(3);
  });

  it('gives a socket to one listener', async () => {
    const once = new InheritedSockets(sockets);
    expect((await once.use({ path: '/run/postern/auth' }))?.fd).toBe(3);
    expect(await once.use({ path: '/run/postern/auth' })).toBeUndefined();
  });
});
