import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { runPostern, type ServingPostern } from '../support/postern.ts';
import { type Ended, words } from '../support/program.ts';

let folder: string;
let files: CertificateFiles;
let server: ServingPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-login-'));
  files = await certificateFiles(folder);
  server = await startInProcess(
    ...words`--listen smtp://127.0.0.1:0 --listen smtps://127.0.0.1:0 --tls-cert ${files.cert} --tls-key ${files.key}`,
    ...words`--mechanisms SCRAM-SHA-256-PLUS,SCRAM-SHA-256,DIGEST-MD5,CRAM-MD5,PLAIN,LOGIN`,
    ...words`--auth memory:joe:s3cret --log silent`,
  );
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

function urlOf(scheme: 'smtp' | 'smtps'): string {
  return `${scheme}://localhost:${server.urls[scheme === 'smtp' ? 0 : 1]?.port}`;
}

/** Returns the arguments of `postern` that log joe in at the server. */
function loginAs(scheme: 'smtp' | 'smtps', ...more: readonly string[]): readonly string[] {
  return [...words`login ${urlOf(scheme)} --user joe --ca ${files.ca}`, ...more];
}

function login(scheme: 'smtp' | 'smtps', password: string, ...more: readonly string[]): Promise<Ended> {
  return runInProcess(loginAs(scheme, ...more), `${password}\n`);
}

describe('postern login', () => {
  it.each(['smtp', 'smtps'] as const)('uses the strongest mechanism, with channel binding, over %s', async (scheme) => {
    const { code, output } = await login(scheme, 's3cret');
    expect(output).toMatch(/^logged in as joe with SCRAM-SHA-256-PLUS in \d+ ms$/m);
    expect(output).toContain('channel binding: tls-exporter\nTLS: TLSv1.3, ');
    expect(code).toBe(0);
  });

  it.each(['SCRAM-SHA-256', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN'])('uses --mechanism %s', async (mechanism) => {
    const { code, output } = await login('smtps', 's3cret', '--mechanism', mechanism.toLowerCase());
    expect(output).toContain(`logged in as joe with ${mechanism} in `);
    expect(code).toBe(0);
  });

  it('masks the password and everything from which it can be computed', async () => {
    const { output } = await login('smtps', 's3cret', '--mechanism', 'PLAIN');
    expect(output).toContain('C: AUTH PLAIN ****');
    expect(output).not.toMatch(/s3cret|czNjcmV0|AGpvZQBzM2NyZXQ/);
  });

  it('reads the password from standard input and ends a process with 0, or with 1 if refused', async () => {
    const right = await runPostern(loginAs('smtps'), 's3cret\n');
    expect(right).toEqual({ code: 0, output: expect.stringMatching(/^logged in as joe with /m) });
    const wrong = await runPostern(loginAs('smtps'), 'wrong\n');
    expect(wrong).toEqual({ code: 1, output: expect.stringContaining('S: 535 5.7.8 ') });
  });

  it('ends with 1 if the server refuses the credentials', async () => {
    const { code, output } = await login('smtps', 'wrong');
    expect(output).toContain('S: 535 5.7.8 ');
    expect(code).toBe(1);
  });

  it('sends the name of --ehlo with EHLO', async () => {
    const { code, output } = await login('smtps', 's3cret', '--ehlo', 'laptop.example.com');
    expect(output).toContain('C: EHLO laptop.example.com\n');
    expect(code).toBe(0);
  });

  it('prints the refusing reply of a server as lines, without control characters', async () => {
    const refusing = createServer((socket) => socket.end('554-5.7.1 go away,\r\n554 5.7.1 unknown \u001b client'));
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const url = `smtp://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const { code, output } = await runInProcess(words`login ${url} --user joe`, 's3cret\n');
    refusing.close();
    expect(output).toContain('not logged in: greeting was refused: 554-5.7.1 go away,\n  554 5.7.1 unknown ? client\n');
    expect(code).toBe(2);
  });

  it('ends with 1 if the user may not act as --authzid', async () => {
    const { code } = await login('smtps', 's3cret', '--authzid', 'ann');
    expect(code).toBe(1);
  });

  it('ends with 2 if no server listens', async () => {
    const { code, output } = await runInProcess(words`login smtp://127.0.0.1:1 --user joe`, 's3cret\n');
    expect(output).toContain('not logged in: connect ECONNREFUSED');
    expect(code).toBe(2);
  });

  it('ends with 2 before AUTH if no known authority signed the certificate', async () => {
    const { code, output } = await runInProcess(words`login ${urlOf('smtps')} --user joe`, 's3cret\n');
    expect(output).toContain('not logged in: no authority known here vouches for the server: --ca FILE names one');
    expect(output).not.toContain('C: AUTH');
    expect(code).toBe(2);
  });

  it('ends with 2 and a hint if no known authority signed the certificate after STARTTLS', async () => {
    const { code, output } = await runInProcess(words`login ${urlOf('smtp')} --user joe`, 's3cret\n');
    expect(output).toContain('the TLS handshake failed: no authority known here vouches for the server: --ca FILE');
    expect(code).toBe(2);
  });

  it('ends with 2 and a hint if the server has no implicit TLS', async () => {
    const url = urlOf('smtp').replace('smtp:', 'smtps:');
    const { code, output } = await runInProcess(words`login ${url} --user joe --ca ${files.ca}`, 's3cret\n');
    expect(output).toBe('not logged in: the server does not begin with TLS: smtp:// asks it for STARTTLS\n');
    expect(code).toBe(2);
  });

  it('ends with 2 and the offered mechanisms if the server does not offer --mechanism', async () => {
    const { code, output } = await login('smtps', 's3cret', '--mechanism', 'EXTERNAL');
    expect(output).toMatch(/^not logged in: no responder for the mechanisms of the server: SCRAM-SHA-256-PLUS, /m);
    expect(code).toBe(2);
  });

  it.each(['LOGIN', 'CRAM-MD5'])('ends with 2 for --authzid with %s, which cannot carry it', async (mechanism) => {
    const { code, output } = await login('smtps', 's3cret', '--mechanism', mechanism, '--authzid', 'ann');
    expect(output).toContain('--mechanism: expected one with an authorization identity (--authzid)');
    expect(code).toBe(2);
  });

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
      '--mechanism: expected one with an authorization identity (--authzid), not LOGIN',
    ],
    ['an invalid EHLO name', 'smtp://localhost --user joe --ehlo a_b!c', '--ehlo: expected'],
    ['an unknown option', 'smtp://localhost --user joe --password x', "'--password'"],
  ])('ends with 2 for %s and says what is expected', async (_what, args, message) => {
    const { code, output } = await runInProcess(['login', ...args.split(' ')], 's3cret\n');
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });
});
