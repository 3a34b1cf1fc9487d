import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles, TestAuthority } from '../support/certificates.ts';
import { expectDelivered, MESSAGE } from '../support/message.ts';
import { CONFIG, type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

/** The files of a certificate and its key. */
type Certificate = readonly [cert: string, key: string];
/** A proof of identity; a string is a password or a token. */
type Secret = string | Certificate;

const BY_PASSWORD = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5'];
const SCRAM = ['SCRAM-SHA-1', 'SCRAM-SHA-256'];
const BY_TOKEN = ['OAUTHBEARER', 'XOAUTH2'];

let folder: string;
let maildirs: string;
let messageFile: string;
let files: CertificateFiles;
let postern: RunningPostern;
/** Offers XOAUTH2 without OAUTHBEARER, which curl prefers to the mechanism of its option. */
let withXoauth2: RunningPostern;
let own: Certificate;
let unknown: Certificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-mechanisms-'));
  maildirs = join(folder, 'mail');
  messageFile = join(folder, 'message.eml');
  await writeFile(messageFile, MESSAGE);
  files = await certificateFiles(folder);
  own = [files.clientCert, files.clientKey];
  unknown = await unknownCertificate();
  const options = [
    ...words`--listen smtp://127.0.0.1:0?tls=required --tls-cert ${files.cert} --tls-key ${files.key} --tls-client-ca ${files.ca}`,
    ...words`--config ${CONFIG} --deliver maildir:${maildirs} --hostname localhost --log json --mechanisms`,
  ];
  const all = ['EXTERNAL', ...SCRAM, ...BY_TOKEN, ...BY_PASSWORD].join(',');
  [postern, withXoauth2] = await Promise.all([startPostern(...options, all), startPostern(...options, 'XOAUTH2')]);
});

afterAll(async () => {
  for (const server of [postern, withXoauth2]) {
    expect(await server.stop()).toBe(0);
    expect(server.output()).not.toMatch(/s3cret|t0ken/);
  }
  expect(await readdir(maildirs)).not.toContain(NOBODY);
  await rm(folder, { recursive: true });
});

describe.skipIf(skips('curl', 'curl'))('curl', { concurrent: true }, () => {
  for (const mechanism of [...BY_PASSWORD, ...BY_TOKEN, 'EXTERNAL']) {
    it(`delivers the same octets with ${mechanism}`, async () => {
      const to = recipient('curl', mechanism);
      const { code, output } = await curl(mechanism, rightSecret(mechanism), to);
      expect(code, output).toBe(0);
      expect(authCommand(output)).toBe(`AUTH ${mechanism}`);
      await expectDelivered(maildirs, to);
    });
  }

  for (const mechanism of [...BY_PASSWORD, ...BY_TOKEN]) {
    it(`is refused with ${mechanism} and a wrong secret`, async () => {
      const { code, output } = await curl(mechanism, wrongSecret(mechanism), NOBODY);
      expect(authCommand(output)).toBe(`AUTH ${mechanism}`);
      expect(code, output).toBe(67);
    });
  }

  it('is not offered EXTERNAL with a certificate of an unknown authority', async () => {
    const { code, output } = await curl('EXTERNAL', unknown, NOBODY);
    expect(authCommand(output)).toBeUndefined();
    expect(code, output).toBe(67);
  });

  it('is refused with EXTERNAL for another user name', async () => {
    const { code, output } = await curl('EXTERNAL', own, NOBODY, 'ann');
    expect(authCommand(output)).toBe('AUTH EXTERNAL');
    expect(code, output).toBe(67);
  });
});

describe.skipIf(skips('msmtp', 'msmtp'))('msmtp', { concurrent: true }, () => {
  for (const mechanism of [...BY_PASSWORD, ...SCRAM, ...BY_TOKEN, 'EXTERNAL']) {
    it(`delivers the same octets with ${mechanism}`, async () => {
      const to = recipient('msmtp', mechanism);
      const { code, output } = await msmtp(mechanism, rightSecret(mechanism), to);
      expect(code, output).toBe(0);
      expect(authCommand(output)).toBe(`AUTH ${mechanism}`);
      await expectDelivered(maildirs, to);
    });
  }

  for (const mechanism of [...BY_PASSWORD, ...SCRAM, ...BY_TOKEN]) {
    it(`is refused with ${mechanism} and a wrong secret`, async () => {
      const { code, output } = await msmtp(mechanism, wrongSecret(mechanism), NOBODY);
      expect(authCommand(output)).toBe(`AUTH ${mechanism}`);
      expect(output).toContain('authentication failed');
      expect(code, output).toBe(77);
    });
  }

  it('is not offered EXTERNAL with a certificate of an unknown authority', async () => {
    const { code, output } = await msmtp('EXTERNAL', unknown, NOBODY);
    expect(output).toContain('the server does not support authentication method EXTERNAL');
    expect(code).not.toBe(0);
  });

  it('is refused with EXTERNAL for another user name', async () => {
    const { code, output } = await msmtp('EXTERNAL', own, NOBODY, 'ann');
    expect(output).toContain('authentication failed');
    expect(code, output).toBe(77);
  });
});

function curl(mechanism: string, secret: Secret, to: string, user = 'joe'): Promise<Ended> {
  const { port } = urlOf(mechanism === 'XOAUTH2' ? withXoauth2 : postern);
  return run('curl', [
    ...words`--silent --verbose --ipv4 --ssl-reqd --cacert ${files.ca} --url ${`smtp://localhost:${port}`}`,
    ...words`--login-options AUTH=${mechanism} ${curlSecret(mechanism, secret, user)}`,
    ...words`--mail-from joe@example.com --mail-rcpt ${to} --upload-file ${messageFile}`,
  ]);
}

function curlSecret(mechanism: string, secret: Secret, user: string): readonly string[] {
  if (typeof secret !== 'string') return words`--user ${user}: --cert ${secret[0]} --key ${secret[1]}`;
  if (BY_TOKEN.includes(mechanism)) return words`--user ${user} --oauth2-bearer ${secret}`;
  return words`--user ${user}:${secret}`;
}

/** Sends the message with LF line ends, which msmtp changes to CRLF. */
function msmtp(mechanism: string, secret: Secret, to: string, user = 'joe'): Promise<Ended> {
  const { port } = urlOf(postern);
  const proof =
    typeof secret === 'string'
      ? ['--passwordeval', `echo ${secret}`]
      : words`--tls-cert-file=${secret[0]} --tls-key-file=${secret[1]}`;
  const args = [
    ...words`--debug --host=localhost --port=${port} --domain=client.example.com --tls=on --tls-trust-file=${files.ca}`,
    ...words`--auth=${mechanism.toLowerCase()} --user=${user} ${proof} --from=joe@example.com`,
    ...words`--set-date-header=off --set-from-header=off -- ${to}`,
  ];
  return run('msmtp', args, MESSAGE.replaceAll('\r\n', '\n'));
}

/** Returns the client's AUTH command without the initial response. */
function authCommand(output: string): string | undefined {
  return /^(?:>|-->) (AUTH \S+)/m.exec(output)?.[1];
}

function urlOf({ urls: [url] }: RunningPostern): URL {
  return url as URL;
}

function recipient(client: string, mechanism: string): string {
  return `${client}-${mechanism}@example.com`.toLowerCase();
}

function rightSecret(mechanism: string): Secret {
  if (mechanism === 'EXTERNAL') return own;
  return BY_TOKEN.includes(mechanism) ? 't0ken' : 's3cret';
}

function wrongSecret(mechanism: string): string {
  return BY_TOKEN.includes(mechanism) ? 'wr0ng' : 'wrong';
}

/** Makes a certificate for joe from an authority that the server does not know. */
async function unknownCertificate(): Promise<Certificate> {
  const authority = await TestAuthority.create('Another Authority');
  const { cert, key } = await authority.client('CN=joe');
  const paths = [join(folder, 'unknown.pem'), join(folder, 'unknown-key.pem')] as const;
  await Promise.all([writeFile(paths[0], cert), writeFile(paths[1], key)]);
  return paths;
}

const NOBODY = 'nobody@example.com';
