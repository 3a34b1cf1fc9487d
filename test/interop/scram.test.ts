import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

type TlsVersion = 'TLS 1.3' | 'TLS 1.2';
const TLS_VERSIONS: readonly TlsVersion[] = ['TLS 1.3', 'TLS 1.2'];
/** The channel binding that gsasl prefers. */
const BINDING: Readonly<Record<TlsVersion, string>> = { 'TLS 1.3': 'tls-exporter', 'TLS 1.2': 'tls-unique' };
const HASHES = ['SHA-1', 'SHA-256'];

let folder: string;
let files: CertificateFiles;
/** A server that offers channel binding. */
let postern: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-scram-'));
  files = await certificateFiles(folder);
  postern = await startPostern(
    ...words`--listen smtp://127.0.0.1:0?tls=required --tls-cert ${files.cert} --tls-key ${files.key}`,
    ...words`--auth memory:joe:s3cret --deliver discard --hostname localhost --log json --channel-binding offered`,
  );
});

afterAll(async () => {
  expect(await postern.stop()).toBe(0);
  expect(postern.output()).not.toContain('s3cret');
  expect(postern.output()).toMatch(/mutt, neomutt \(.*shut out common clients/);
  await rm(folder, { recursive: true });
});

describe.skipIf(skips('gsasl', 'gsasl'))('gsasl', { concurrent: true }, () => {
  for (const hash of HASHES) {
    const [plain, plus] = [`SCRAM-${hash}`, `SCRAM-${hash}-PLUS`];

    for (const version of TLS_VERSIONS) {
      it(`logs in with ${plain} under ${version}`, async () => {
        const { code, output } = await gsasl(postern, version, plain, 's3cret', '--no-cb');
        expect(gs2Header(output)).toMatch(/^n,/);
        expect(code, output).toBe(0);
      });

      it(`is refused with ${plain} under ${version} and a wrong password`, async () => {
        expectRefused(await gsasl(postern, version, plain, 'wrong', '--no-cb'));
      });
    }

    for (const version of TLS_VERSIONS) {
      it(`logs in with ${plus} under ${version} and the channel binding ${BINDING[version]}`, async () => {
        const { code, output } = await gsasl(postern, version, plus, 's3cret');
        expect(gs2Header(output)).toMatch(new RegExp(`^p=${BINDING[version]},`));
        expect(code, output).toBe(0);
      });

      it(`is refused with ${plus} under ${version} and a wrong password`, async () => {
        expectRefused(await gsasl(postern, version, plus, 'wrong'));
      });
    }
  }

  for (const version of TLS_VERSIONS) {
    it(`chooses SCRAM-SHA-256-PLUS under ${version}`, async () => {
      const { code, output } = await gsasl(postern, version, undefined, 's3cret');
      expect(output).toMatch(/^AUTH SCRAM-SHA-256-PLUS\r?$/m);
      expect(code, output).toBe(0);
    });
  }
});

function gsasl(
  { urls: [url] }: RunningPostern,
  version: TlsVersion,
  mechanism: string | undefined,
  password: string,
  ...more: readonly string[]
): Promise<Ended> {
  const priority = version === 'TLS 1.3' ? 'NORMAL:-VERS-ALL:+VERS-TLS1.3' : 'NORMAL:-VERS-ALL:+VERS-TLS1.2';
  const args = words`--smtp --connect=localhost:${url?.port ?? ''} --starttls --x509-ca-file=${files.ca} --priority=${priority}`;
  const wanted = mechanism === undefined ? [] : ['-m', mechanism];
  return run('gsasl', [...args, ...wanted, ...words`-a joe -p ${password}`, ...more]);
}

function expectRefused({ code, output }: Ended): void {
  expect(output).toContain('535 5.7.8');
  expect(code).not.toBe(0);
}

/** Returns the gs2-header of the client's first message (RFC 5802 §7), which names the binding. */
function gs2Header(output: string): string {
  const decoded = output.split(/\s+/).map((word) => Buffer.from(word, 'base64').toString('latin1'));
  return decoded.find((message) => message.includes(',n=joe,r=')) ?? '';
}
