import { createHash, type X509Certificate } from 'node:crypto';
import { pssHashes, signatureAlgorithm } from './signature-algorithm.ts';

/**
 * The `tls-server-end-point` binding data of a certificate (RFC 5929 §4.1). The first access
 * computes it: few mechanisms ask, and the hash costs more than keeping the certificate.
 */
export class EndPoint {
  #certificate: X509Certificate | undefined;
  #hash: Uint8Array | undefined;

  constructor(certificate: X509Certificate | undefined) {
    this.#certificate = certificate;
  }

  /** Undefined without a certificate, or if its signature has no single hash function. */
  get hash(): Uint8Array | undefined {
    if (this.#certificate === undefined) return this.#hash;
    this.#hash = endPointHash(this.#certificate);
    this.#certificate = undefined;
    return this.#hash;
  }
}

/**
 * Returns the hash of a certificate, by the hash function of its signature. SHA-256 replaces MD5
 * and SHA-1. Returns undefined if the signature has no single hash function.
 */
function endPointHash(certificate: X509Certificate): Uint8Array | undefined {
  const { oid, parameters } = signatureAlgorithm(certificate);
  const algorithm = oid === RSASSA_PSS ? pssHash(parameters) : SIGNATURE_HASHES.get(oid);
  return algorithm === undefined ? undefined : createHash(algorithm).update(certificate.raw).digest();
}

/**
 * Returns the hash function of an RSASSA-PSS signature, or undefined if its masks use another one
 * (RFC 5929 §4.1).
 */
function pssHash(parameters: Uint8Array | undefined): string | undefined {
  const hashes = parameters === undefined ? undefined : pssHashes(parameters);
  return hashes?.message === hashes?.maskGeneration ? HASHES.get(hashes?.message ?? '') : undefined;
}

const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** Hash functions by object identifier (RFC 4055 §2.1; NIST's arc 2.16.840.1.101.3.4.2). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha256'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.5', 'sha512-224'],
  ['2.16.840.1.101.3.4.2.6', 'sha512-256'],
  ['2.16.840.1.101.3.4.2.7', 'sha3-224'],
  ['2.16.840.1.101.3.4.2.8', 'sha3-256'],
  ['2.16.840.1.101.3.4.2.9', 'sha3-384'],
  ['2.16.840.1.101.3.4.2.10', 'sha3-512'],
]);

/**
 * Signature algorithms by object identifier (RFC 3279, 4055, 5758; NIST's arc
 * 2.16.840.1.101.3.4.3). Ed25519 and Ed448 are absent: they have no hash function.
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
