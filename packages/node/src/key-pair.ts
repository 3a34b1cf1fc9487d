import { isPath, type Pem, readAll } from './pem.ts';

/** A certificate with the chain to its authority, and its private key. Several of each, in pairs, for keys of several kinds. */
export interface KeyPair {
  readonly cert: Pem | readonly Pem[];
  readonly key: Pem | readonly Pem[];
  /** For keys that are encrypted. */
  readonly passphrase?: string;
}

/** A key pair that was read. */
export interface LoadedPair {
  readonly options: { cert: Buffer[]; key: Buffer[]; passphrase?: string };
  /** What to call it in an error. */
  readonly label: string;
}

/** Reads a certificate and its key. */
export async function readPair({ cert, key, passphrase }: KeyPair): Promise<LoadedPair> {
  const options = { cert: await readAll('certificate', cert), key: await readAll('key', key) };
  const paths = [cert].flat().filter(isPath);
  return {
    options: passphrase === undefined ? options : { ...options, passphrase },
    label: ['certificate', ...paths].join(' '),
  };
}
