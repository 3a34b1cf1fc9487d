import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport, type SentMessageInfo } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.ts';
import { expectDelivered, MESSAGE } from '../support/message.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';

type Channel = 'clear text' | 'STARTTLS' | 'implicit TLS';
const CHANNELS: readonly Channel[] = ['clear text', 'STARTTLS', 'implicit TLS'];

let folder: string;
let ca: string;
let messageFile: string;
let stuffedFile: string;
let postern: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-interop-'));
  const authority = await TestAuthority.create();
  const server = await authority.server();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  ca = join(folder, 'ca.pem');
  messageFile = join(folder, 'message.eml');
  stuffedFile = join(folder, 'stuffed.eml');
  await Promise.all([
    writeFile(ca, authority.cert),
    writeFile(cert, server.cert),
    writeFile(key, server.key),
    writeFile(messageFile, MESSAGE),
    // swaks stuffs dots only together with other changes, so the file has them stuffed.
    writeFile(stuffedFile, `${MESSAGE.replaceAll(/^\./gm, '..')}.`),
  ]);
  postern = await startPostern(
    ...words`--listen smtp://127.0.0.1:0 --listen smtps://127.0.0.1:0 --tls-cert ${cert} --tls-key ${key} --auth memory:joe:s3cret`,
    ...words`--deliver maildir:${join(folder, 'mail')} --hostname localhost --log json`,
  );
});

afterAll(async () => {
  expect(await postern.stop()).toBe(0);
  expect(postern.output()).not.toMatch(/s3cret|czNjcmV0/);
  await rm(folder, { recursive: true });
});

for (const channel of CHANNELS) {
  describe.concurrent(`over ${channel}`, () => {
    describe.skipIf(skips('curl', 'curl'))('curl', () => {
      for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
        it(`delivers the same octets with ${mechanism}`, async () => {
          const to = recipient('curl', channel, mechanism);
          expect(await curl(channel, mechanism, 's3cret', to)).toMatchObject({ code: 0 });
          await expectDelivered(join(folder, 'mail'), to);
        });

        it(`is refused with ${mechanism} and a wrong password`, async () => {
          const { code, output } = await curl(channel, mechanism, 'wrong', 'nobody@example.com');
          expect(code, output).toBe(67);
        });
      }
    });

    describe.skipIf(skips('swaks', 'swaks'))('swaks', () => {
      for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
        it(`delivers the same octets with ${mechanism}`, async () => {
          const to = recipient('swaks', channel, mechanism);
          const { code, output } = await swaks(channel, mechanism, 's3cret', to);
          expect(code, output).toBe(0);
          await expectDelivered(join(folder, 'mail'), to);
        });

        it(`is refused with ${mechanism} and a wrong password`, async () => {
          const { code, output } = await swaks(channel, mechanism, 'wrong', 'nobody@example.com');
          expect(code).toBe(28);
          expect(output).toContain('535 5.7.8');
        });
      }
    });

    describe('nodemailer', () => {
      for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
        it(`delivers the same octets with ${method}`, async () => {
          const to = recipient('nodemailer', channel, method);
          await nodemailer(channel, method, 's3cret', to);
          await expectDelivered(join(folder, 'mail'), to);
        });

        it(`is refused with ${method} and a wrong password`, async () => {
          await expect(nodemailer(channel, method, 'wrong', 'nobody@example.com')).rejects.toMatchObject({
            code: 'EAUTH',
            responseCode: 535,
          });
        });
      }
    });

    // gsasl has no implicit TLS.
    if (channel !== 'implicit TLS') {
      describe.skipIf(skips('gsasl', 'gsasl'))('gsasl', () => {
        // Under TLS, Postern does not offer SCRAM-SHA-256 by default, since GNU SASL refuses it
        // there without its -PLUS.
        const scram = channel === 'clear text' ? ['SCRAM-SHA-256'] : [];
        for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', ...scram]) {
          it(`logs in with ${mechanism}`, async () => {
            const { code, output } = await gsasl(channel, mechanism, 'joe', 's3cret');
            expect(code, output).toBe(0);
          });

          it(`is refused with ${mechanism} and a wrong password`, async () => {
            const { code, output } = await gsasl(channel, mechanism, 'joe', 'wrong');
            expect(code, output).not.toBe(0);
            expect(output).toContain('535 5.7.8');
          });
        }

        it('gets the same replies for an unknown user as for a wrong password', async () => {
          const [wrong, unknown] = await Promise.all([
            gsasl(channel, scram[0] ?? 'CRAM-MD5', 'joe', 'wrong'),
            gsasl(channel, scram[0] ?? 'CRAM-MD5', 'eve', 'wrong'),
          ]);
          expect(shape(unknown.output)).toEqual(shape(wrong.output));
        });
      });
    }
  });
}

function port(channel: Channel): string {
  return postern.urls[channel === 'implicit TLS' ? 1 : 0]?.port ?? '';
}

function recipient(client: string, channel: Channel, mechanism: string): string {
  return `${client}-${channel.replace(' ', '-')}-${mechanism}@example.com`.toLowerCase();
}

function curl(channel: Channel, mechanism: string, password: string, to: string) {
  const scheme = channel === 'implicit TLS' ? 'smtps' : 'smtp';
  return run('curl', [
    ...words`--silent --show-error --ipv4 --cacert ${ca} --url ${`${scheme}://localhost:${port(channel)}`}`,
    ...words`${channel === 'STARTTLS' ? ['--ssl-reqd'] : []} --user joe:${password} --login-options AUTH=${mechanism}`,
    ...words`--mail-from joe@example.com --mail-rcpt ${to} --upload-file ${messageFile}`,
  ]);
}

function swaks(channel: Channel, mechanism: string, password: string, to: string) {
  const verify = words`--tls-ca-path ${ca} --tls-verify`;
  const tls = { 'clear text': [], STARTTLS: ['-tls', ...verify], 'implicit TLS': ['-tlsc', ...verify] }[channel];
  const args = [
    ...words`--server localhost --port ${port(channel)} --ehlo client.example.com ${tls}`,
    ...words`--auth ${mechanism} --auth-user joe --auth-password ${password}`,
    ...words`--from joe@example.com --to ${to} --data @${stuffedFile} --no-data-fixup`,
  ];
  return run('swaks', args);
}

async function nodemailer(channel: Channel, method: string, pass: string, to: string): Promise<SentMessageInfo> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: Number(port(channel)),
    secure: channel === 'implicit TLS',
    ignoreTLS: channel === 'clear text',
    requireTLS: channel === 'STARTTLS',
    tls: { ca: await readFile(ca), servername: 'localhost' },
    authMethod: method,
    auth: { user: 'joe', pass },
  });
  try {
    return await transport.sendMail({ envelope: { from: 'joe@example.com', to }, raw: MESSAGE });
  } finally {
    transport.close();
  }
}

function gsasl(channel: Channel, mechanism: string, user: string, password: string) {
  const tls = channel === 'STARTTLS' ? words`--starttls --x509-ca-file=${ca}` : ['--no-starttls'];
  return run(
    'gsasl',
    words`--smtp --connect=localhost:${port(channel)} --no-cb -m ${mechanism} -a ${user} -p ${password} ${tls}`,
  );
}

/**
 * Returns the output of gsasl with a placeholder of the same length for each part that differs
 * between exchanges: names, nonces, salts, proofs.
 */
function shape(output: string): string {
  return (
    output
      .replaceAll('eve', 'joe')
      // Standard error has no fixed place among the lines.
      .replace(/^(Trying|TLS) .*\n/gm, '')
      .replace(
        /^(334 )?([A-Za-z0-9+/]{4,}={0,2})$/gm,
        (_line, code = '', text: string) => `${code}${text.length} characters`,
      )
  );
}
