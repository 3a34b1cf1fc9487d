import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import type { MaybePromise } from '@postern/conversation';
import { readChain } from './certificate-chain.ts';
import { explained, isPath, type Pem, readAll } from './pem.ts';

/** A certificate with the chain to its authority, and its private key. Several of each for keys of several kinds. */
export interface KeyPair {
  readonly cert: Pem | readonly Pem[];
  readonly key: Pem | readonly Pem[];
  /** Decrypts the keys that are encrypted. A function is called each time that they are read. */
  readonly passphrase?: string | (() => MaybePromise<string>);
}

/** A key pair that was read, and whose keys belong to its certificates. */
export interface LoadedPair {
  readonly options: { cert: Buffer[]; key: Buffer[]; passphrase?: string };
  /** What to call it in an error. */
  readonly label: string;
  readonly chains: readonly Chain[];
}

/** The certificates of one file. */
export interface Chain {
  readonly label: string;
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/** A private key is encrypted, and the passphrase is missing or wrong. The message names the key's file. */
export class EncryptedKey extends Error {
  override get name(): string {
    return 'EncryptedKey';
  }
}

/**
 * Reads certificates and their keys.
 * @throws EncryptedKey if a key needs another passphrase; Error if a file cannot be read, or a key belongs to none of the certificates.
 */
export async function readPair({ cert, key, passphrase: given }: KeyPair): Promise<LoadedPair> {
  const certPems = await readAll('certificate', cert);
  const keyPems = await readAll('key', key);
  const passphrase = typeof given === 'function' ? await given() : given;
  const chains = labelled('certificate', cert, certPems).map(({ label, pem }) => ({
    label,
    certificates: readChain(label, pem),
  }));
  const keys = labelled('key', key, keyPems).map(({ label, pem }) => ({ label, key: readKey(label, pem, passphrase) }));
  checkPairs(chains, keys);
  const options = { cert: certPems, key: keyPems };
  return {
    options: passphrase === undefined ? options : { ...options, passphrase },
    label: ['certificate', ...[cert].flat().filter(isPath)].join(' '),
    chains,
  };
}

/** A private key, and what to call it in an error. */
interface LabelledKey {
  readonly label: string;
  readonly key: KeyObject;
}

function labelled(what: string, pems: Pem | readonly Pem[], read: readonly Buffer[]) {
  const sources = [pems].flat();
  return read.map((pem, at) => {
    const source = sources[at] ?? '';
    return { label: isPath(source) && source !== '' ? `${what} ${source}` : what, pem };
  });
}

function readKey(label: string, pem: Buffer, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    if (!ENCRYPTED.test(pem.toString('latin1'))) throw explained(label, cause);
    const wrong =
      passphrase === undefined ? 'encrypted; expected its passphrase' : 'the passphrase does not decrypt it';
    throw new EncryptedKey(`${label}: ${wrong}`, { cause });
  }
}

/** OpenSSL compares only keys of one type: a certificate for RSA with an EC key would fail in each handshake. */
function checkPairs(chains: readonly Chain[], keys: readonly LabelledKey[]): void {
  const used = new Set<LabelledKey>();
  for (const { label, certificates } of chains) {
    const [own, ...others] = certificates;
    const match = keys.find(({ key }) => own.checkPrivateKey(key));
    if (match === undefined) throw new Error(`${label}: ${mismatch(own, others, keys)}`);
    used.add(match);
  }
  const spare = keys.find((key) => !used.has(key));
  if (spare !== undefined) throw new Error(`${spare.label}: belongs to none of the certificates`);
}

function mismatch(own: X509Certificate, others: readonly X509Certificate[], keys: readonly LabelledKey[]): string {
  if (others.some((other) => keys.some(({ key }) => other.checkPrivateKey(key)))) {
    return 'the key belongs to a later certificate of the file; expected that one first';
  }
  const types = keys.map(({ label, key }) => `${label} (${key.asymmetricKeyType})`).join(', ');
  return `its key is of type ${own.publicKey.asymmetricKeyType}, and not ${types}; expected the key of this certificate`;
}

/** PKCS #8 (RFC 7468 §11), and the older form (RFC 1421 §4.6.1.1). */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
