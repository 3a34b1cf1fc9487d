import { once } from 'node:events';
import { connect } from 'node:net';
import { type ListenOptions, serve } from '@postern/node';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { gone, LOOPBACK } from './served.ts';

const LISTENER: ListenOptions = { endpoint: LOOPBACK, protocol: async () => {} };

describe('serve', () => {
  it('starts all listeners in their order and names them', async () => {
    await using server = await serve({ listeners: [{ ...LISTENER, name: 'submission' }, LISTENER] });
    expect(server.listeners.map(({ name }) => name)).toEqual(['submission', undefined]);
    for (const { address } of server.listeners) await expect(isOpen(address.port)).resolves.toBe(true);
  });

  it('starts no listener if one cannot start, and closes everything that it was given', async () => {
    await using taken = await serve({ listeners: [LISTENER] });
    const { address, url } = taken.listeners[0] ?? expect.unreachable();
    const calls: string[] = [];
    const starting = serve({
      listeners: [
        { ...LISTENER, name: 'first' },
        { ...LISTENER, name: 'second', endpoint: { ...LOOPBACK, port: address.port } },
      ],
      portal: { drain: () => void calls.push('drained') },
      resources: { users: { [Symbol.dispose]: () => void calls.push('users disposed of') } },
    });
    await expect(starting).rejects.toMatchObject({
      name: 'ListenError',
      message: `cannot listen on ${url}: another program listens there already (EADDRINUSE)`,
      listener: 'second',
      code: 'EADDRINUSE',
    });
    expect(calls).toEqual(['drained', 'users disposed of']);
  });

  it('names the endpoint of a listener with wrong options', async () => {
    await expect(serve({ listeners: [{ ...LISTENER, limits: { maxConnections: -1 } }] })).rejects.toThrow(
      'cannot listen on tcp://127.0.0.1:0: maxConnections',
    );
  });

  it('warns of a failure to clean up, and rejects with the reason why nothing started', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const starting = serve({
      listeners: [{ ...LISTENER, tlsPolicy: 'implicit' }],
      resources: { users: { [Symbol.dispose]: () => Promise.reject(new Error('stuck')) } },
    });
    await expect(starting).rejects.toThrow('cannot listen on tcp://127.0.0.1:0: TLS is implicit');
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining('users: could not be disposed of: stuck') }),
    );
  });
});

describe('a server closes', () => {
  it('in order: the listeners, the portal, the resources; once', async () => {
    const calls: string[] = [];
    const begun = Promise.withResolvers<void>();
    const server = await serve({
      listeners: [
        {
          ...LISTENER,
          protocol: async ({ shutdownSignal }) => {
            begun.resolve();
            await gone(shutdownSignal);
            calls.push('transaction ended');
          },
        },
      ],
      portal: { drain: async () => void calls.push('drained') },
      resources: [
        ['users', { [Symbol.asyncDispose]: async () => void calls.push('users disposed of') }],
        ['relay', { [Symbol.dispose]: () => void calls.push('relay disposed of') }],
        ['clock', {}],
      ],
    });
    const client = connect(server.listeners[0]?.address.port ?? 0, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    await begun.promise;
    await Promise.all([server.close(), server.close(), server[Symbol.asyncDispose]()]);
    expect(calls).toEqual(['transaction ended', 'drained', 'users disposed of', 'relay disposed of']);
  });

  it('one resource once, also with two names', async () => {
    let disposals = 0;
    const users = { [Symbol.dispose]: () => void disposals++ };
    const server = await serve({ listeners: [LISTENER], resources: { users, recipients: users } });
    await server.close();
    expect(disposals).toBe(1);
  });

  it('without a resource whose disposal hangs for 10 seconds', async () => {
    const clock = new FakeClock();
    const begun = Promise.withResolvers<void>();
    const users = {
      [Symbol.asyncDispose]() {
        begun.resolve();
        return new Promise(() => {});
      },
    };
    const server = await serve({ listeners: [LISTENER], resources: { users }, clock });
    const closing = server.close().catch((thrown: unknown) => thrown);
    await begun.promise;
    await clock.advance(10_000);
    expect(await closing).toMatchObject({
      message: 'closing failed: users: could not be disposed of: took longer than 10000 ms',
    });
  });

  it('all parts, and rejects with every failure by its name', async () => {
    const calls: string[] = [];
    const server = await serve({
      listeners: [LISTENER],
      portal: { drain: () => Promise.reject(new Error('a logout failed')) },
      resources: {
        users: { [Symbol.asyncDispose]: () => Promise.reject(new Error('socket gone')) },
        relay: { [Symbol.dispose]: () => void calls.push('relay disposed of') },
      },
    });
    const error = await server.close().catch((thrown: unknown) => thrown);
    expect((error as AggregateError).errors.map(String)).toEqual([
      'Error: a logout failed',
      'Error: users: could not be disposed of: socket gone',
    ]);
    expect(calls).toEqual(['relay disposed of']);
  });
});

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return true;
}
