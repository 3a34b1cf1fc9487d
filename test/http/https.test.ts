import { once } from 'node:events';
import { createServer, type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsInfo } from '@postern/core';
import { nodeLogin } from '@postern/http/node';
import { expect, it, onTestFinished } from 'vitest';
import { TestAuthority, testCertificates } from '../support/certificates.ts';

it('describes TLS and the verified certificate of a client', async () => {
  const { client } = await testCertificates();
  const tls = await tlsOf({ ...client, servername: 'localhost' });
  expect(tls).toMatchObject({
    version: 'TLSv1.3',
    cipher: expect.stringMatching(/^TLS_/),
    serverName: 'localhost',
    peerCertificate: {
      verified: true,
      subject: expect.stringContaining('CN='),
      fingerprint256: expect.stringMatching(/^[\da-f]{64}$/),
    },
  });
  expect(tls.channelBinding('tls-exporter')).toBeUndefined();
});

it('has no certificate of a client that shows none', async () => {
  expect(await tlsOf({ servername: '' })).toMatchObject({ serverName: undefined, peerCertificate: undefined });
});

it('describes a certificate of another authority as not verified', async () => {
  const other = await TestAuthority.create('Other Authority');
  expect(await tlsOf(await other.client())).toMatchObject({ peerCertificate: { verified: false } });
});

/** Returns the TLS information of a request to an https server that asks for certificates. */
async function tlsOf(options: RequestOptions): Promise<TlsInfo> {
  const { ca, server: certificate } = await testCertificates();
  const tls = Promise.withResolvers<TlsInfo>();
  const logIn = nodeLogin(({ mind }) => {
    // The getters read a socket that closes behind the response.
    if (mind.tls !== undefined) {
      const { version, cipher, serverName, peerCertificate } = mind.tls;
      const binding = mind.tls.channelBinding('tls-exporter');
      tls.resolve({ version, cipher, serverName, peerCertificate, channelBinding: () => binding });
    }
    return { status: 403, headers: [] };
  });
  const server = createServer({ ...certificate, ca, requestCert: true, rejectUnauthorized: false }, (req, res) => {
    void logIn(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const [response] = await once(request({ port, host: '127.0.0.1', ca, agent: false, ...options }).end(), 'response');
  response.resume();
  return await tls.promise;
}
