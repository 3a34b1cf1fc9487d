import { memoryPipe, readChunk, transportContract } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe.each([
  ['as written', {}],
  ['octet by octet', { chunks: 'octets', highWaterMark: 100 }],
  ['at random', { chunks: { seed: 7 } }],
  ['with TLS to start', { tlsPolicy: 'offered' }],
  ['with TLS', { tlsPolicy: 'implicit' }],
] as const)('a memory pipe %s', (_title, options) => {
  const make = () => {
    const { client, server } = memoryPipe(options);
    return { client, server, reset: () => client.reset() };
  };
  const hasStartTls = 'tlsPolicy' in options && options.tlsPolicy === 'offered';
  const cases = transportContract({ make, hasReset: true, hasStartTls });
  for (const { name, run, skipped } of cases) if (skipped === undefined) it(name, run);
});

describe('memoryPipe', () => {
  it('cuts bytes as written, octet by octet, at one place, or at random by a seed', async () => {
    expect(await sizes({ chunks: 'whole' })).toEqual([5, 3]);
    expect(await sizes({ chunks: 'octets' })).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await sizes({ chunks: { splitAt: 2 } })).toEqual([2, 3, 3]);
    expect(await sizes({ chunks: { splitAt: 6 } })).toEqual([5, 1, 2]);
    const random = await sizes({ chunks: { seed: 3 } });
    expect(random.reduce((a, b) => a + b)).toBe(8);
    expect(await sizes({ chunks: { seed: 3 } })).toEqual(random);
  });

  it('reports the number of unread octets', async () => {
    const { client, server } = memoryPipe({ highWaterMark: 10 });
    expect(client.write('12345')).toBeUndefined();
    expect(server.unread).toBe(5);
    const waits = client.write('67890');
    expect(waits).toBeInstanceOf(Promise);
    await readChunk(server);
    expect(server.unread).toBe(5);
    await waits;
  });

  it('resets at a destroy with unread bytes, as TCP does', async () => {
    const { client, server } = memoryPipe();
    await client.write('unread');
    server.destroy();
    await expect(readChunk(client)).rejects.toThrow('ECONNRESET');
    expect(client.closed).toBe(true);
  });

  it('breaks at clear text during a TLS handshake', async () => {
    const { client, server } = memoryPipe({ tlsPolicy: 'required' });
    const handshake = server.startTls?.();
    await expect(client.write('RSET\r\n')).rejects.toThrow('EPROTO');
    await expect(handshake).rejects.toThrow('ERR_STREAM_DESTROYED');
  });

  it('has the given addresses and TLS information', async () => {
    const unix = { family: 'unix', address: '', port: 0 } as const;
    const { client, server } = memoryPipe({
      client: unix,
      tlsPolicy: 'implicit',
      tls: { serverName: 'mx.example.com' },
    });
    expect(server.remote).toBe(unix);
    expect(client.local).toBe(unix);
    expect(server.tls).toMatchObject({ version: 'TLSv1.3', serverName: 'mx.example.com' });
    expect(server.tls?.channelBinding('tls-exporter')).toHaveLength(32);
  });
});

/** Returns the sizes of the pieces in which 5 and 3 octets arrive. */
async function sizes(options: Parameters<typeof memoryPipe>[0]): Promise<number[]> {
  const { client, server } = memoryPipe(options);
  await client.write('12345');
  await client.write('678');
  client.end();
  const sizes: number[] = [];
  for (let chunk = await readChunk(server); chunk !== undefined; chunk = await readChunk(server))
    sizes.push(chunk.length);
  return sizes;
}
