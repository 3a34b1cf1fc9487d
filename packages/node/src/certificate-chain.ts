import { X509Certificate } from 'node:crypto';
import { explained, type Pem, readAll } from './pem.ts';

/**
 * Reads the certificates of a PEM text, in their order.
 * @throws Error that begins with the label, if there is no certificate, or one that cannot be read.
 */
export function readChain(label: string, pem: Uint8Array): [X509Certificate, ...X509Certificate[]] {
  const [first, ...others] = Buffer.from(pem).toString('latin1').match(CERTIFICATE) ?? [];
  if (first === undefined) throw new Error(`${label}: there is no certificate in PEM form`);
  const read = (text: string): X509Certificate => {
    try {
      return new X509Certificate(text);
    } catch (cause) {
      throw explained(label, cause);
    }
  };
  return [read(first), ...others.map(read)];
}

/**
 * Reads the certificates of authorities.
 * @throws Error that begins with the label, if one of the texts has no certificate: Node would ignore the text, and trust no client.
 */
export async function readAuthorities(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  const authorities = await readAll(label, pems);
  for (const pem of authorities) readChain(label, pem);
  return authorities;
}

/** Says what is wrong with a chain that clients may refuse: its dates, and the order of its certificates (RFC 8446 §4.4.2). */
export function chainWarnings(label: string, chain: readonly X509Certificate[], now = Date.now()): string[] {
  return chain.flatMap((certificate, at) => {
    const name = at === 0 ? label : `${label}: number ${at + 1}, ${subjectOf(certificate)}`;
    const previous = chain[at - 1];
    return [
      ...(now > Date.parse(certificate.validTo) ? [`${name}: expired on ${certificate.validTo}`] : []),
      ...(now < Date.parse(certificate.validFrom) ? [`${name}: not valid before ${certificate.validFrom}`] : []),
      ...(previous === undefined || previous.checkIssued(certificate)
        ? []
        : [
            `${name}: did not issue the certificate before it; expected the server's own, its issuer, that one's issuer`,
          ]),
    ];
  });
}

/** The names of hosts in a certificate's subjectAltName, as clients look for them (RFC 6125 §6.4). */
export function hostNames({ subjectAltName = '' }: X509Certificate): string[] {
  return Array.from(subjectAltName.matchAll(DNS_NAME), ([, name = '']) => name);
}

function subjectOf({ subject }: X509Certificate): string {
  return subject.replaceAll('\n', ', ');
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
/** Node quotes a name that has other characters than these. */
const DNS_NAME = /(?<=^|, )DNS:([\w.*-]+)(?=,|$)/g;
