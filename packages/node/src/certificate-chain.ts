import { X509Certificate } from 'node:crypto';
import { type Pem, readAll, withLabel } from './pem.ts';

/**
 * Reads the certificates of a PEM text, in their order.
 * @throws Error that begins with the label, if the text has no certificate, or an invalid one.
 */
export function readChain(label: string, pem: Uint8Array): [X509Certificate, ...X509Certificate[]] {
  const [first, ...others] = Buffer.from(pem).toString('latin1').match(CERTIFICATE) ?? [];
  if (first === undefined) throw new Error(`${label}: there is no certificate in PEM form`);
  const read = (text: string): X509Certificate => {
    try {
      return new X509Certificate(text);
    } catch (cause) {
      throw withLabel(label, cause);
    }
  };
  return [read(first), ...others.map(read)];
}

/**
 * Reads the certificates of authorities.
 * @throws Error that begins with the label, if a text has no certificate. Node would ignore that
 * text and trust no client.
 */
export async function readAuthorities(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  const authorities = await readAll(label, pems);
  for (const pem of authorities) readChain(label, pem);
  return authorities;
}

/**
 * Returns the reasons for which clients may refuse the chain: its dates and its order (RFC 8446
 * §4.4.2).
 */
export function chainWarnings(label: string, chain: readonly X509Certificate[], now = Date.now()): string[] {
  return chain.flatMap((certificate, index) => {
    const name = index === 0 ? label : `${label}: number ${index + 1}, ${subjectOf(certificate)}`;
    const previous = chain[index - 1];
    return [
      ...(now > Date.parse(certificate.validTo) ? [`${name}: expired on ${certificate.validTo}`] : []),
      ...(now < Date.parse(certificate.validFrom) ? [`${name}: not valid before ${certificate.validFrom}`] : []),
      ...(previous === undefined || previous.checkIssued(certificate)
        ? []
        : [
            `${name}: did not issue the certificate before it; expected the server's certificate, its issuer, the issuer's issuer`,
          ]),
    ];
  });
}

/**
 * Returns the host names in a certificate's subjectAltName, which clients verify (RFC 6125 §6.4).
 */
export function hostNames({ subjectAltName = '' }: X509Certificate): string[] {
  return Array.from(subjectAltName.matchAll(DNS_NAME), ([, name = '']) => name);
}

function subjectOf({ subject }: X509Certificate): string {
  return subject.replaceAll('\n', ', ');
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
/** Matches unquoted names: Node quotes a name with other characters. */
const DNS_NAME = /(?<=^|, )DNS:([\w.*-]+)(?=,|$)/g;
