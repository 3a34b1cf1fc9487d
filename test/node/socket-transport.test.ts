import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conversation, TlsPolicy } from '@postern/conversation';
import { Certificates, connect, type Endpoint, type Listener, listen } from '@postern/node';
import { transportContract } from '@postern/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { testCertificates } from '../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-node-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each<[string, Endpoint, TlsPolicy, ('TLSv1.2' | 'TLSv1.3')?]>([
  ['TCP', { host: '127.0.0.1', port: 0 }, 'none'],
  ['TCP with TLS to start', { host: '127.0.0.1', port: 0 }, 'offered'],
  ['TLS 1.2', { host: '127.0.0.1', port: 0 }, 'implicit', 'TLSv1.2'],
  ['TLS 1.3', { host: '127.0.0.1', port: 0 }, 'implicit'],
  ['UNIX', { path: join(directory, 'none') }, 'none'],
  ['UNIX with TLS to start', { path: join(directory, 'offered') }, 'offered', 'TLSv1.2'],
  ['TLS over UNIX', { path: join(directory, 'implicit') }, 'implicit'],
])('a transport over %s', (_title, endpoint, tlsPolicy, maxVersion = 'TLSv1.3') => {
  const accepted: ((conversation: Conversation) => void)[] = [];
  let listener: Listener;

  beforeAll(async () => {
    const { ca: _, server } = await testCertificates();
    const certificates = await Certificates.load(server);
    listener = await listen({
      endpoint,
      tlsPolicy,
      certificates,
      protocol: (conversation) => {
        accepted.shift()?.(conversation);
        // The test uses the transport.
        return new Promise(() => {});
      },
    });
  });
  afterAll(() => listener.close({ shutdownTimeout: 0 }));

  const make = async () => {
    const { ca } = await testCertificates();
    const server = new Promise<Conversation>((resolve) => accepted.push(resolve));
    const client = await connect({
      endpoint: 'path' in endpoint ? endpoint : { ...endpoint, port: listener.address.port },
      tlsPolicy,
      ca,
      maxVersion,
    });
    return { client, server: (await server).transport };
  };
  const cases = transportContract({ make, hasStartTls: tlsPolicy === 'offered' });
  for (const { name, run, skipped } of cases) if (skipped === undefined) it(name, run);
});
