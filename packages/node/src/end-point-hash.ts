import { hash, type X509Certificate } from 'node:crypto';

/**
 * The `tls-server-end-point` binding data of a server's certificate (RFC 5929 §4.1): its hash under the hash function of its own
 * signature, with MD5 and SHA-1 replaced by SHA-256. Undefined where the signature has no single hash function.
 */
export function endPointHash(certificate: X509Certificate): Uint8Array | undefined {
  const algorithm = SIGNATURE_HASHES.get(certificate.signatureAlgorithmOid ?? '');
  return algorithm === undefined ? undefined : hash(algorithm, certificate.raw, 'buffer');
}

/**
 * Signature algorithms by object identifier (RFC 3279, 4055, 5758; NIST's arc 2.16.840.1.101.3.4.3). RSASSA-PSS is not here since its
 * hash stands in parameters that Node does not tell, nor Ed25519 and Ed448, which have none.
 */
const SIGNATURE_HASHES: ReadonlyMap<string, string> = new Map([
  // RSA with MD5, SHA-1 and the SHA-2 family
  ['1.2.840.113549.1.1.4', 'sha256'],
  ['1.2.840.113549.1.1.5', 'sha256'],
  ['1.2.840.113549.1.1.14', 'sha224'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.113549.1.1.15', 'sha512-224'],
  ['1.2.840.113549.1.1.16', 'sha512-256'],
  // ECDSA with SHA-1 and the SHA-2 family
  ['1.2.840.10045.4.1', 'sha256'],
  ['1.2.840.10045.4.3.1', 'sha224'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  // ECDSA, then RSA, with the SHA-3 family
  ['2.16.840.1.101.3.4.3.9', 'sha3-224'],
  ['2.16.840.1.101.3.4.3.10', 'sha3-256'],
  ['2.16.840.1.101.3.4.3.11', 'sha3-384'],
  ['2.16.840.1.101.3.4.3.12', 'sha3-512'],
  ['2.16.840.1.101.3.4.3.13', 'sha3-224'],
  ['2.16.840.1.101.3.4.3.14', 'sha3-256'],
  ['2.16.840.1.101.3.4.3.15', 'sha3-384'],
  ['2.16.840.1.101.3.4.3.16', 'sha3-512'],
]);
