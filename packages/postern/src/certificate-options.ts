import { readFile } from 'node:fs/promises';
import type { CertificateOptions, KeyPair } from '@postern/node';
import type { KeyFiles } from './config.ts';
import type { Settings } from './settings.ts';

/** What `@postern/node` loads the certificates by. It reads files of passphrases again at each load, as it does keys. */
export function certificateOptions(
  { named, ...tls }: NonNullable<Settings['tls']>,
  onWarning: (warning: string) => void,
): CertificateOptions {
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

/** The first line of the file. An editor ends it, and the passphrase does not include that end. */
async function readPassphrase(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    throw new Error(`passphrase: ${(cause as Error).message}`, { cause });
  }
}
