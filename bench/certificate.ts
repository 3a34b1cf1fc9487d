import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../test/support/certificates.ts';

/** The files of a certificate and of its key, as PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Writes a self-signed certificate with an ECDSA key on P-256, as most servers have now. */
export async function writeCertificate(folder: string): Promise<CertificateFiles> {
  const { cert, key } = await selfSigned();
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}
