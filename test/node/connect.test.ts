import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Certificates, connect } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned, testCertificates } from '../support/certificates.ts';
import { LOOPBACK, served } from './served.ts';

describe('connect', () => {
  it('connects to a name or an address', async () => {
    const { port, accept } = await served();
    const client = await connect({ endpoint: { host: 'localhost', port }, tlsPolicy: 'none' });
    const { transport } = await accept();
    expect(client.remote).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
    expect(client.local).toEqual(transport.remote);
    expect('startTls' in client).toBe(false);
  });

  it.each([
    ['implicit', 'localhost'],
    ['implicit', '127.0.0.1'],
    ['required', 'localhost'],
    ['required', '127.0.0.1'],
  ] as const)('verifies the server where TLS is %s, by name or address: %s', async (tlsPolicy, host) => {
    const { server, ca } = await testCertificates();
    const { port, accept } = await served({ tlsPolicy, certificates: await Certificates.load(server) });
    const client = await connect({ endpoint: { host, port }, tlsPolicy, ca });
    const { transport } = await accept();
    await Promise.all([transport.startTls?.(), client.startTls?.()]);
    expect(client.tls?.peerCertificate).toMatchObject({ verified: true, subject: 'CN=localhost' });
    expect(client.tls?.serverName).toBe(host === 'localhost' ? 'localhost' : undefined);
    expect(transport.tls?.serverName).toBe(host === 'localhost' ? 'localhost' : undefined);
    expect(client.tls?.channelBinding('tls-exporter')).toEqual(transport.tls?.channelBinding('tls-exporter'));
  });

  it.each([
    ['without an authority', {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', { serverName: 'mail.example.com' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('rejects a server’s certificate %s, except with `unverified`', async (_title, options, code) => {
    const { server, ca } = await testCertificates();
    const pair = 'serverName' in options ? server : await selfSigned();
    const { port } = await served({ tlsPolicy: 'implicit', certificates: await Certificates.load(pair) });
    const how = { endpoint: { host: 'localhost', port }, tlsPolicy: 'implicit', ca, ...options } as const;
    await expect(connect(how)).rejects.toMatchObject({ code: 'peer-gone', cause: { code } });
    const client = await connect({ ...how, unverified: true });
    expect(client.tls?.peerCertificate?.verified).toBe(false);
  });

  it('sends the client’s certificate', async () => {
    const { server, client: certificate, ca } = await testCertificates();
    const certificates = await Certificates.load({ ...server, clientCa: ca });
    const { port, accept } = await served({ tlsPolicy: 'implicit', certificates });
    await connect({ endpoint: { host: 'localhost', port }, tlsPolicy: 'implicit', ca, certificate });
    expect((await accept()).transport.tls?.peerCertificate).toMatchObject({ verified: true, subject: 'CN=joe' });
  });

  it('fails without a server', async () => {
    const { port, listener } = await served();
    await listener.close();
    await expect(connect({ endpoint: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'peer-gone',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('fails if the server is silent in the handshake, or ends its side', async () => {
    const silent = await listening((server) => server.on('connection', (socket) => socket.on('error', () => {})));
    const how = { endpoint: { host: '127.0.0.1', port: silent }, tlsPolicy: 'implicit' } as const;
    await expect(connect({ ...how, timeout: 50 })).rejects.toMatchObject({ code: 'timed-out' });
    const ending = await listening((server) => server.on('connection', (socket) => socket.resume().end()));
    await expect(connect({ ...how, endpoint: { host: '127.0.0.1', port: ending } })).rejects.toMatchObject({
      code: 'peer-gone',
    });
  });

  it('fails when its signal aborts, before the attempt and during it', async () => {
    const port = await listening((server) => server.on('connection', (socket) => socket.on('error', () => {})));
    const how = { endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'implicit' } as const;
    const abort = new AbortController();
    const connecting = connect({ ...how, signal: abort.signal });
    abort.abort(new Error('changed our mind'));
    await expect(connecting).rejects.toThrow('changed our mind');
    await expect(connect({ ...how, signal: abort.signal })).rejects.toThrow('changed our mind');
  });

  it('fails without the file of the authorities', async () => {
    const { port } = await served();
    const how = { endpoint: { host: '127.0.0.1', port }, ca: '/nowhere/ca.pem' };
    await expect(connect(how)).rejects.toThrow("ca: ENOENT: no such file or directory, open '/nowhere/ca.pem'");
  });
});

async function listening(prepare: (server: Server) => void): Promise<number> {
  const server = createServer();
  prepare(server);
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(LOOPBACK.port, LOOPBACK.host);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
