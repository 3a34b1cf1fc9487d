import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScramSecret } from '@postern/sasl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type RunningDovecot, startDovecot } from '../support/dovecot.ts';
import { BIN } from '../support/postern.ts';
import { type RunningPostfix, skipsPostfix, startPostfix } from '../support/postfix.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

let folder: string;
let files: CertificateFiles;
let dovecot: RunningDovecot;
let postfix: RunningPostfix;

const skipped = skipsPostfix() || skips('dovecot', 'dovecot-core');

describe.skipIf(skipped)('postern login to a Postfix with Dovecot SASL', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-login-'));
    files = await certificateFiles(folder);
    // Dovecot has joe's password in clear text, for every mechanism, and ann's as a secret that
    // ScramSecret wrote, for SCRAM-SHA-256 and for mechanisms that send the password.
    const ann = await ScramSecret.derive('s3cret', { hash: 'sha256' });
    dovecot = await startDovecot({ joe: '{PLAIN}s3cret', ann: ann.format('dovecot') });
    postfix = await startPostfix({
      smtpd_tls_security_level: 'may',
      smtpd_tls_auth_only: 'yes',
      smtpd_tls_chain_files: `${files.key}, ${files.cert}`,
      smtpd_sasl_auth_enable: 'yes',
      smtpd_sasl_type: 'dovecot',
      smtpd_sasl_path: dovecot.authSocket,
    });
  });

  afterAll(async () => {
    await postfix?.stop();
    await dovecot?.stop();
    await rm(folder, { recursive: true });
  });

  describe('over STARTTLS', { concurrent: true }, () => {
    it('uses SCRAM-SHA-256, the strongest mechanism of Dovecot', async () => {
      const { code, output } = await login('joe', 's3cret');
      expect(output).toMatch(/^S: 250[- ]AUTH .*\bPLAIN\b/m);
      expect(output).toMatch(/^logged in as joe with SCRAM-SHA-256 in \d+ ms$/m);
      expect(output).toContain('TLS: TLSv1.3');
      expect(code).toBe(0);
    });

    it('ends with 1 for a wrong password', async () => {
      expectRefused(await login('joe', 'wrong'));
    });

    it('ends with 1 for an unknown user', async () => {
      expectRefused(await login('nobody', 's3cret'));
    });

    for (const mechanism of ['SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN']) {
      it(`uses --mechanism ${mechanism}`, async () => {
        const { code, output } = await login('joe', 's3cret', '--mechanism', mechanism);
        expect(output).toContain(`logged in as joe with ${mechanism} in `);
        expect(code).toBe(0);
      });

      it(`ends with 1 for a wrong password with ${mechanism}`, async () => {
        expectRefused(await login('joe', 'wrong', '--mechanism', mechanism));
      });
    }

    for (const mechanism of ['SCRAM-SHA-256', 'PLAIN']) {
      it(`logs in with ${mechanism} against a secret that ScramSecret wrote for Dovecot`, async () => {
        const { code, output } = await login('ann', 's3cret', '--mechanism', mechanism);
        expect(output).toContain(`logged in as ann with ${mechanism} in `);
        expect(code).toBe(0);
      });
    }
  });
});

function login(user: string, password: string, ...more: readonly string[]): Promise<Ended> {
  const args = words`login smtp://localhost:${String(postfix.port)} --user ${user} --ca ${files.ca}`;
  return run(process.execPath, [BIN, ...args, ...more], `${password}\n`);
}

function expectRefused({ code, output }: Ended): void {
  expect(output).toMatch(/^S: 535 5\.7\.8 /m);
  expect(code, output).toBe(1);
}
