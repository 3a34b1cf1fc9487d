import { readFile } from 'node:fs/promises';
import { type CertificateOptions, Certificates, EncryptedKey, type KeyPair } from '@postern/node';
import type { KeyFiles, TlsFiles } from './config.ts';
import { messageOf, UsageError } from './errors.ts';

/** The settings of TLS. */
export type TlsSettings = TlsFiles & {
  /** The secret of session tickets that the workers share. */
  readonly ticketSecret?: Uint8Array;
};

/**
 * Loads the certificates. `reload()` of the result reads certificates, keys and passphrases again.
 *
 * @throws UsageError for files that are unusable.
 */
export async function loadCertificates(tls: TlsSettings, onWarning: (warning: string) => void): Promise<Certificates> {
  try {
    return await Certificates.load(certificateOptions(tls, onWarning));
  } catch (error) {
    const options = ['--tls-cert', '--tls-key', ...(tls.clientCa === undefined ? [] : ['--tls-client-ca'])].join(', ');
    const hint = error instanceof EncryptedKey ? ` (${PASSPHRASE_OPTIONS})` : '';
    throw new UsageError(`${options}: expected PEM files: ${messageOf(error)}${hint}`, { cause: error });
  }
}

function certificateOptions({ named, ...tls }: TlsSettings, onWarning: (warning: string) => void): CertificateOptions {
  return {
    ...keyPair(tls),
    onWarning,
    ...(named !== undefined && { named: named.map(keyPair) }),
  };
}

function keyPair<T extends KeyFiles>({ passphrase, passphraseFile, ...rest }: T) {
  const secret: KeyPair['passphrase'] =
    passphraseFile === undefined ? passphrase : () => readPassphrase(passphraseFile);
  return { ...rest, ...(secret !== undefined && { passphrase: secret }) };
}

/**
 * Reads the first line of the file. An editor ends the line; the passphrase does not include that
 * end.
 */
async function readPassphrase(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    throw new Error(`passphrase: ${(cause as Error).message}`, { cause });
  }
}

const PASSPHRASE_OPTIONS = '--tls-passphrase-file FILE, or passphrase beside the key in the config file';
