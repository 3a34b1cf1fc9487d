import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, words } from '../support/program.ts';

const BIN = fileURLToPath(new URL('../../packages/postern/bin/postern.js', import.meta.url));

let folder: string;
let ca: string;
let postern: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-login-'));
  const made = await testCertificates();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  ca = join(folder, 'ca.pem');
  await Promise.all([writeFile(ca, made.ca), writeFile(cert, made.server.cert), writeFile(key, made.server.key)]);
  postern = await startPostern(
    ...words`--listen smtp://127.0.0.1:0 --listen smtps://127.0.0.1:0 --tls-cert ${cert} --tls-key ${key}`,
    ...words`--auth memory:joe:s3cret --mechanisms SCRAM-SHA-256-PLUS,SCRAM-SHA-256,DIGEST-MD5,CRAM-MD5,PLAIN,LOGIN --log silent`,
  );
});

afterAll(async () => {
  await postern.stop();
  await rm(folder, { recursive: true });
});

function login(scheme: 'smtp' | 'smtps', password: string, ...more: readonly string[]): Promise<Ended> {
  const { port } = postern.urls[scheme === 'smtp' ? 0 : 1] as URL;
  const url = `${scheme}://localhost:${port}`;
  return run(process.execPath, [BIN, 'login', url, ...words`--user joe --ca ${ca}`, ...more], `${password}\n`);
}

describe('postern login', () => {
  it.each(['smtp', 'smtps'] as const)(
    'takes the strongest mechanism, bound to the channel, over %s',
    async (scheme) => {
      const { code, output } = await login(scheme, 's3cret');
      expect(output).toMatch(/^logged in as joe with SCRAM-SHA-256-PLUS in \d+ ms$/m);
      expect(output).toContain('channel binding: tls-exporter\nTLS: TLSv1.3, ');
      expect(code).toBe(0);
    },
  );

  it.each(['SCRAM-SHA-256', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN'])('takes %s if told so', async (mechanism) => {
    const { code, output } = await login('smtps', 's3cret', '--mechanism', mechanism.toLowerCase());
    expect(output).toContain(`logged in as joe with ${mechanism} in `);
    expect(code).toBe(0);
  });

  it('shows neither the password nor what can be made into it', async () => {
    const { output } = await login('smtps', 's3cret', '--mechanism', 'PLAIN');
    expect(output).toContain('C: AUTH PLAIN ****');
    expect(output).not.toMatch(/s3cret|czNjcmV0|AGpvZQBzM2NyZXQ/);
  });

  it('exits with 1 where the server refuses the credentials', async () => {
    const { code, output } = await login('smtps', 'wrong');
    expect(output).toContain('S: 535 5.7.8 ');
    expect(code).toBe(1);
  });

  it('says the name that it is told with EHLO', async () => {
    const { code, output } = await login('smtps', 's3cret', '--ehlo', 'laptop.example.com');
    expect(output).toContain('C: EHLO laptop.example.com\n');
    expect(code).toBe(0);
  });

  it('prints the last words of a server that refuses, as lines', async () => {
    const server = createServer((socket) => socket.end('554-5.7.1 go away,\r\n554 5.7.1 whoever \u001b you are'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `smtp://127.0.0.1:${port}`;
    const { code, output } = await run(process.execPath, [BIN, ...words`login ${url} --user joe`], 's3cret\n');
    server.close();
    expect(output).toContain(
      'not logged in: greeting was refused: 554-5.7.1 go away,\n  554 5.7.1 whoever ? you are\n',
    );
    expect(code).toBe(2);
  });

  it('exits with 1 where the user may not act as another', async () => {
    const { code } = await login('smtps', 's3cret', '--authzid', 'ann');
    expect(code).toBe(1);
  });

  it('exits with 2 where nobody listens, and says so', async () => {
    const { code, output } = await run(
      process.execPath,
      [BIN, ...words`login smtp://127.0.0.1:1 --user joe`],
      's3cret\n',
    );
    expect(output).toContain('not logged in: connect ECONNREFUSED');
    expect(code).toBe(2);
  });

  it('exits with 2 where the server cannot be verified', async () => {
    const { port } = postern.urls[1] as URL;
    const args = [BIN, ...words`login smtps://localhost:${port} --user joe`];
    const { code, output } = await run(process.execPath, args, 's3cret\n');
    expect(output).toContain('not logged in: no authority known here vouches for the server: --ca FILE names one');
    expect(output).not.toContain('C: AUTH');
    expect(code).toBe(2);
  });

  it('exits with 2 where the server cannot be verified after STARTTLS, and says what would help', async () => {
    const { port } = postern.urls[0] as URL;
    const args = [BIN, ...words`login smtp://localhost:${port} --user joe`];
    const { code, output } = await run(process.execPath, args, 's3cret\n');
    expect(output).toContain('the TLS handshake failed: no authority known here vouches for the server: --ca FILE');
    expect(code).toBe(2);
  });

  it('exits with 2 where there is no TLS from the first byte, and says what would help', async () => {
    const { port } = postern.urls[0] as URL;
    const args = [BIN, ...words`login smtps://localhost:${port} --user joe --ca ${ca}`];
    const { code, output } = await run(process.execPath, args, 's3cret\n');
    expect(output).toBe('not logged in: the server does not begin with TLS: smtp:// asks it for STARTTLS\n');
    expect(code).toBe(2);
  });

  it('exits with 2 where nothing that is offered is what it was told to use, and says what is offered', async () => {
    const { code, output } = await login('smtps', 's3cret', '--mechanism', 'EXTERNAL');
    expect(output).toMatch(/^not logged in: there is no responder for what the server offers: SCRAM-SHA-256-PLUS, /m);
    expect(code).toBe(2);
  });

  it.each(['LOGIN', 'CRAM-MD5'])(
    'does not log in by %s, which cannot say whom to act as, with --authzid',
    async (mechanism) => {
      const { code, output } = await login('smtps', 's3cret', '--mechanism', mechanism, '--authzid', 'ann');
      expect(output).toContain('--mechanism: expected one that can say whom to act as (--authzid)');
      expect(code).toBe(2);
    },
  );

  it.each([
    ['no URL', '--user joe', 'expected one URL'],
    ['another scheme', 'imap://localhost --user joe', 'expected smtp://'],
    ['no user', 'smtp://localhost', '--user: expected'],
    [
      'an unknown mechanism',
      'smtp://localhost --user joe --mechanism PLAN',
      /--mechanism: unknown mechanism "PLAN": expected .*SCRAM-SHA-256, .*; did you mean "PLAIN"\?/,
    ],
    [
      'a mechanism without an authorization identity',
      'smtp://localhost --user joe --authzid ann --mechanism LOGIN',
      '--mechanism: expected one that can say whom to act as (--authzid), not LOGIN',
    ],
    ['a name that EHLO cannot say', 'smtp://localhost --user joe --ehlo a_b!c', '--ehlo: expected'],
    ['an option that there is not', 'smtp://localhost --user joe --password x', "'--password'"],
  ])('exits with 2 for %s, and says what was expected', async (_what, args, message) => {
    const { code, output } = await run(process.execPath, [BIN, 'login', ...args.split(' ')], 's3cret\n');
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });
});
