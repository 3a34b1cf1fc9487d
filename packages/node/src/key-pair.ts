import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import type { MaybePromise } from '@postern/conversation';
import { readChain } from './certificate-chain.ts';
import { isPath, type Pem, readAll, withLabel } from './pem.ts';

/**
 * A certificate chain and its private key. Several of each serve keys of several types, such as RSA
 * and ECDSA.
 */
export interface KeyPair {
  readonly cert: Pem | readonly Pem[];
  readonly key: Pem | readonly Pem[];
  /** Decrypts encrypted keys. A function is called at each load. */
  readonly passphrase?: string | (() => MaybePromise<string>);
}

/** The certificates and keys of a pair, which match. */
export interface LoadedPair {
  readonly options: { cert: Buffer[]; key: Buffer[]; passphrase?: string };
  /** The name of the pair in errors. */
  readonly label: string;
  readonly chains: readonly Chain[];
}

/** The certificates of one file. */
export interface Chain {
  readonly label: string;
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/**
 * The passphrase of an encrypted private key is missing or wrong. The message names the key's file.
 */
export class EncryptedKey extends Error {
  override get name(): string {
    return 'EncryptedKey';
  }
}

/**
 * Reads certificates and their keys.
 * @throws EncryptedKey if a key needs another passphrase; Error if a file cannot be read, or a key
 * matches no certificate.
 */
export async function readPair({ cert, key, passphrase: passphraseSource }: KeyPair): Promise<LoadedPair> {
  const certPems = await readAll('certificate', cert);
  const keyPems = await readAll('key', key);
  const passphrase = typeof passphraseSource === 'function' ? await passphraseSource() : passphraseSource;
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

/** A private key, and its name in errors. */
interface LabelledKey {
  readonly label: string;
  readonly key: KeyObject;
}

function labelled(kind: string, pems: Pem | readonly Pem[], contents: readonly Buffer[]) {
  const sources = [pems].flat();
  return contents.map((pem, index) => {
    const source = sources[index] ?? '';
    return { label: isPath(source) && source !== '' ? `${kind} ${source}` : kind, pem };
  });
}

function readKey(label: string, pem: Buffer, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    if (!ENCRYPTED.test(pem.toString('latin1'))) throw withLabel(label, cause);
    const wrong =
      passphrase === undefined ? 'encrypted; expected its passphrase' : 'the passphrase does not decrypt it';
    throw new EncryptedKey(`${label}: ${wrong}`, { cause });
  }
}

/**
 * Checks that each certificate has its key, and each key its certificate. OpenSSL compares only
 * keys of one type: an RSA certificate with an EC key would fail in each handshake.
 */
function checkPairs(chains: readonly Chain[], keys: readonly LabelledKey[]): void {
  const used = new Set<LabelledKey>();
  for (const { label, certificates } of chains) {
    const [own, ...others] = certificates;
    const match = keys.find(({ key }) => own.checkPrivateKey(key));
    if (match === undefined) throw new Error(`${label}: ${mismatch(own, others, keys)}`);
    used.add(match);
  }
  const spare = keys.find((key) => !used.has(key));
  if (spare !== undefined) throw new Error(`${spare.label}: matches none of the certificates`);
}

function mismatch(own: X509Certificate, others: readonly X509Certificate[], keys: readonly LabelledKey[]): string {
  if (others.some((other) => keys.some(({ key }) => other.checkPrivateKey(key)))) {
    return 'the key matches a later certificate of the file; expected that certificate first';
  }
  const types = keys.map(({ label, key }) => `${label} (${key.asymmetricKeyType})`).join(', ');
  return `its key is of type ${own.publicKey.asymmetricKeyType}, and not ${types}; expected the key of this certificate`;
}

/** Matches PKCS #8 (RFC 7468 §11) and the older form (RFC 1421 §4.6.1.1). */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
