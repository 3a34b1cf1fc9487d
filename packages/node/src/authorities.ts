import { X509Certificate } from 'node:crypto';
import { explained, type Pem, readAll } from './pem.ts';

/** Reads certificates of authorities. Fails where there is none: Node would skip what it cannot read, and trust nobody. */
export async function readAuthorities(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  const authorities = await readAll(label, pems);
  for (const pem of authorities) check(label, pem.toString('latin1'));
  return authorities;
}

function check(label: string, pem: string): void {
  const certificates = pem.match(CERTIFICATE);
  if (certificates === null) throw new Error(`${label}: there is no certificate in PEM form`);
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      throw explained(label, cause);
    }
  }
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
