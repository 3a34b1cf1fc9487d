import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { CONFIG, type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

type TlsVersion = 'TLS 1.3' | 'TLS 1.2';
const TLS_VERSIONS: readonly TlsVersion[] = ['TLS 1.3', 'TLS 1.2'];
const HASHES = ['SHA-1', 'SHA-256'];

let folder: string;
let files: CertificateFiles;
/** As it comes, and with tls-unique, which is the only type that gsasl has for TLS 1.2. */
let postern: RunningPostern;
let withTlsUnique: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-scram-'));
  files = await certificateFiles(folder);
  const common = [
    ...words`--listen smtp://127.0.0.1:0?tls=required --tls-cert ${files.cert} --tls-key ${files.key}`,
    ...words`--auth memory:joe:s3cret --deliver discard --hostname localhost --log json`,
  ];
  [postern, withTlsUnique] = await Promise.all([startPostern(...common), startPostern(...common, '--config', CONFIG)]);
});

afterAll(async () => {
  for (const server of [postern, withTlsUnique]) {
    expect(await server.stop()).toBe(0);
    expect(server.output()).not.toContain('s3cret');
  }
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

    it(`logs in with ${plus} under TLS 1.3, bound by tls-exporter`, async () => {
      const { code, output } = await gsasl(postern, 'TLS 1.3', plus, 's3cret');
      expect(gs2Header(output)).toMatch(/^p=tls-exporter,/);
      expect(code, output).toBe(0);
    });

    it(`is refused with ${plus} under TLS 1.3 and a wrong password`, async () => {
      expectRefused(await gsasl(postern, 'TLS 1.3', plus, 'wrong'));
    });

    it(`logs in with ${plus} under TLS 1.2, bound by tls-unique, where that is taken`, async () => {
      const { code, output } = await gsasl(withTlsUnique, 'TLS 1.2', plus, 's3cret');
      expect(gs2Header(output)).toMatch(/^p=tls-unique,/);
      expect(code, output).toBe(0);
    });

    it(`is refused with ${plus} under TLS 1.2 and a wrong password`, async () => {
      expectRefused(await gsasl(withTlsUnique, 'TLS 1.2', plus, 'wrong'));
    });

    it(`is refused with ${plus} under TLS 1.2 where tls-unique is not taken, as it is by default`, async () => {
      expectRefused(await gsasl(postern, 'TLS 1.2', plus, 's3cret'));
    });
  }

  it('takes SCRAM-SHA-256-PLUS by itself', async () => {
    const { code, output } = await gsasl(postern, 'TLS 1.3', undefined, 's3cret');
    expect(output).toMatch(/^AUTH SCRAM-SHA-256-PLUS\r?$/m);
    expect(code, output).toBe(0);
  });
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

/** The beginning of the client's first message, which says whether the exchange is bound to its channel, and by what. */
function gs2Header(output: string): string {
  const decoded = output.split(/\s+/).map((word) => Buffer.from(word, 'base64').toString('latin1'));
  return decoded.find((message) => message.includes(',n=joe,r=')) ?? '';
}
