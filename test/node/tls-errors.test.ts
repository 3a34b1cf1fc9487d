import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { Certificates, type TlsHandshakeError } from '@postern/node';
import { describe, expect, it } from 'vitest';
import { explainHandshake } from '../../packages/node/src/tls-errors.ts';
import { testCertificates } from '../support/certificates.ts';
import { served } from './served.ts';

/** Starts a listener with implicit TLS. Returns the error of the next handshake, too. */
async function serving(options: { readonly minVersion?: 'TLSv1.3'; readonly ciphers?: string } = {}) {
  const { server, ca } = await testCertificates();
  const certificates = await Certificates.load({ ...server, ...options });
  const { port, nextError } = await served({ tlsPolicy: 'implicit', certificates });
  const failed = async () => {
    const error = await nextError();
    return error.kind === 'handshake' ? (error.error as TlsHandshakeError) : expect.fail(error.kind);
  };
  const client = (more: ConnectionOptions) =>
    connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...more }).on('error', () => {});
  return { port, failed, client };
}

describe('a handshake that fails', () => {
  it('names the version', async () => {
    const { client, failed } = await serving({ minVersion: 'TLSv1.3' });
    client({ maxVersion: 'TLSv1.2' });
    expect((await failed()).message).toBe(
      'the client offers no TLS version that this server supports (ERR_SSL_UNSUPPORTED_PROTOCOL)',
    );
  });

  it('names the ciphers', async () => {
    const { client, failed } = await serving({ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384' });
    const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';
    client({ maxVersion: 'TLSv1.2', ciphers });
    expect((await failed()).message).toMatch(/^client and server have no cipher suite in common \(/);
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 'the client spoke HTTP on a port for TLS (ERR_SSL_HTTP_REQUEST)'],
    ['EHLO x\r\n', 'the client did not speak TLS on a port for TLS (ERR_SSL_WRONG_VERSION_NUMBER)'],
  ])('names a client that sends %j', async (bytes, words) => {
    const { port, failed } = await serving();
    const client = connectSocket(port, '127.0.0.1').on('error', () => {});
    await once(client, 'connect');
    client.write(bytes);
    expect(await failed()).toMatchObject({ name: 'TlsHandshakeError', message: words });
    client.destroy();
  });
});

describe('the client’s alert about the server’s certificate', () => {
  const explained = (code: string): unknown =>
    explainHandshake(Object.assign(new Error('40ED:error:0A000418:SSL routines'), { code }));

  it.each([
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /rejected the certificate of this server.*unknown CA/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', /rejected the certificate of this server: expired/],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /rejected the certificate of this server: bad/],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', /rejected the certificate of this server: bad/],
  ])('is a sentence in all versions of OpenSSL: %s', (code, words) => {
    expect(explained(code)).toMatchObject({ name: 'TlsHandshakeError', message: expect.stringMatching(words), code });
  });

  it('stays as it is with an unknown code', () => {
    expect(explained('ERR_SSL_SOMETHING_NEW')).toMatchObject({ name: 'Error', code: 'ERR_SSL_SOMETHING_NEW' });
    for (const error of [new Error('the handshake took too long'), 'text', undefined]) {
      expect(explainHandshake(error)).toBe(error);
    }
  });
});
