import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { passwordResponders } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type RunningDovecot, startDovecot } from '../support/dovecot.ts';
import { expectDelivered, MESSAGE } from '../support/message.ts';
import { RELAY_CONFIG, type RunningPostern, startPostern } from '../support/postern.ts';
import { type RunningPostfix, skipsPostfix, startPostfix } from '../support/postfix.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

// A complete header, so that no server adds a field.
const COMPLETE = `Date: Sun, 01 Feb 2026 03:04:05 +0000\r\nMessage-ID: <interop@example.com>\r\n${MESSAGE}`;

let folder: string;
let files: CertificateFiles;
let messageFile: string;

const skipped = skipsPostfix() || skips('dovecot', 'dovecot-core') || skips('curl', 'curl');

describe.skipIf(skipped)('a relay', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-interop-'));
    files = await certificateFiles(folder);
    messageFile = join(folder, 'message.eml');
    await writeFile(messageFile, COMPLETE);
  });

  afterAll(() => rm(folder, { recursive: true }));

  describe('from Postfix to Postern', () => {
    let postern: RunningPostern;
    let maildirs: string;

    beforeAll(async () => {
      maildirs = join(folder, 'mail');
      postern = await startPostern(
        ...words`--listen smtp://127.0.0.1:0?tls=required --tls-cert ${files.cert} --tls-key ${files.key}`,
        ...words`--auth memory:joe:s3cret --deliver maildir:${maildirs} --hostname localhost --log json`,
      );
    });

    afterAll(() => postern?.stop());

    it('delivers the same octets from a Postfix that logs in with the strongest mechanism', async () => {
      await using postfix = await startPostfix(relaysTo(postern, 's3cret'));
      expect(await submit(postfix.port)).toMatchObject({ code: 0 });
      await postfix.said(/status=.*\n/);
      expect(postfix.output()).toMatch(/to=<ann@example\.com>.* dsn=2\.0\.0, status=sent \(250 2\.0\.0 /);
      await postern.said(/"mechanism":"SCRAM-SHA-512","user":"joe"/);
      await expectDelivered(maildirs, 'ann@example.com', COMPLETE);
    });

    it('refuses a Postfix with a wrong password, which keeps the message', async () => {
      await using postfix = await startPostfix(relaysTo(postern, 'wrong'));
      expect(await submit(postfix.port)).toMatchObject({ code: 0 });
      await postfix.said(/status=.*\n/);
      expect(postfix.output()).toMatch(/status=deferred \(SASL authentication failed; .* 535 5\.7\.8 /);
    });
  });

  describe('from Postern to Postfix', () => {
    let dovecot: RunningDovecot;
    let postfix: RunningPostfix;
    let postern: RunningPostern;

    beforeAll(async () => {
      dovecot = await startDovecot({ joe: '{PLAIN}s3cret' });
      postfix = await startPostfix({
        smtpd_tls_security_level: 'encrypt',
        smtpd_tls_chain_files: `${files.key}, ${files.cert}`,
        smtpd_sasl_auth_enable: 'yes',
        smtpd_sasl_path: dovecot.authSocket,
        smtpd_sasl_type: 'dovecot',
        smtpd_recipient_restrictions: 'check_recipient_access inline:{eve@example.com=REJECT}, permit',
        virtual_mailbox_domains: 'example.com',
      });
      process.env['NEXT_SERVER'] = `smtp:localhost:${postfix.port}?tls=required`;
      process.env['NEXT_SERVER_CA'] = files.ca;
      postern = await startPostern(...words`--listen smtp://127.0.0.1:0 --config ${RELAY_CONFIG} --log json`);
    });

    afterAll(async () => {
      await postern?.stop();
      await postfix?.stop();
      await dovecot?.stop();
    });

    it('delivers the same octets after a login over STARTTLS with the strongest mechanism', async () => {
      const { code, output } = await submit(postern.urls[0]?.port, 'ann@example.com', 'joe:s3cret');
      expect(code, output).toBe(0);
      await postfix.said(/status=.*\n/);
      expect(postfix.output()).toContain('sasl_method=SCRAM-SHA-256, sasl_username=joe');
      expect(postfix.output()).toMatch(/to=<ann@example\.com>.* status=sent/);
      const [name = '', ...others] = await readdir(join(postfix.maildir, 'new'));
      expect(others).toEqual([]);
      const delivered = await readFile(join(postfix.maildir, 'new', name), 'utf8');
      // Postfix stores messages with Unix line ends.
      expect(delivered.slice(delivered.indexOf('Date: '))).toBe(COMPLETE.replaceAll('\r\n', '\n'));
    });

    it('relays an ASCII message that declares SMTPUTF8 and 8BITMIME to a Postfix without both', async () => {
      await using plain = await startPostfix({
        smtputf8_enable: 'no',
        smtpd_discard_ehlo_keywords: '8bitmime',
        mynetworks: '127.0.0.0/8',
        smtpd_relay_restrictions: 'permit_mynetworks, reject',
        virtual_mailbox_domains: 'example.com',
      });
      await using first = await startPostern(
        ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --log json`,
        ...words`--deliver smtp:127.0.0.1:${String(plain.port)}?tls=none`,
      );
      const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(first.urls[0]?.port) } });
      const responders = passwordResponders({ username: 'joe', password: 's3cret' });
      await using client = await connectSmtp(transport, { responders });
      const [from, to] = [new Mailbox('joe', 'example.com'), [new Mailbox('ann', 'example.com')]];
      const parameters = { body: '8BITMIME', smtpUtf8: true } as const;
      const codeOf = async (text: string) =>
        (await client.send({ from, to, parameters }, [Buffer.from(text)]))[0]?.code;
      const ascii = 'Subject: interop\r\n\r\nhello\r\n';
      expect(await codeOf(ascii)).toBe(250);
      await plain.said(/status=sent/);
      expect(await codeOf(ascii.replace('interop', 'Zürich'))).toBe(550);
      expect(await codeOf(ascii.replace('hello', 'Zürich'))).toBe(554);
    });

    it('passes the refusal of a recipient by Postfix to the client', async () => {
      const { code, output } = await submit(postern.urls[0]?.port, 'eve@example.com', 'joe:s3cret');
      expect(output).toMatch(/^< 554 5\.7\.1 .*<eve@example\.com>.*Recipient address rejected/m);
      expect(code).not.toBe(0);
    });
  });
});

function submit(port: string | number = '', to = 'ann@example.com', user?: string): Promise<Ended> {
  return run('curl', [
    ...words`--silent --verbose --ipv4 --url ${`smtp://localhost:${port}`} ${user === undefined ? [] : ['--user', user]}`,
    ...words`--mail-from joe@example.com --mail-rcpt ${to} --upload-file ${messageFile}`,
  ]);
}

/** Returns lines of main.cf with which Postfix relays local mail to Postern as joe. */
function relaysTo({ urls: [url] }: RunningPostern, password: string): Readonly<Record<string, string>> {
  const nextServer = `[localhost]:${url?.port}`;
  return {
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    relayhost: nextServer,
    smtp_host_lookup: 'native',
    smtp_sasl_auth_enable: 'yes',
    smtp_sasl_password_maps: `inline:{${nextServer}=joe:${password}}`,
    smtp_sasl_security_options: 'noanonymous',
    smtp_tls_security_level: 'secure',
    smtp_tls_verify_cert_match: 'hostname',
    smtp_tls_CAfile: files.ca,
  };
}
