import { readFile } from 'node:fs/promises';

/**
 * Certificates or keys in PEM form (RFC 7468): text, octets, or the path of a file. A string with
 * `-----BEGIN` is text.
 */
export type Pem = string | Uint8Array;

/**
 * Reads PEM texts and files.
 * @throws Error that begins with the label and names the file.
 */
export async function readAll(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  return Promise.all(
    [pems].flat().map(async (pem) => {
      if (!isPath(pem)) return Buffer.from(pem);
      try {
        return await readFile(pem);
      } catch (cause) {
        // Node's message names the file, unless the path is a folder.
        const isNamed = cause instanceof Error && cause.message.includes(pem);
        throw withLabel(isNamed ? label : `${label} ${pem}`, cause);
      }
    }),
  );
}

/** Returns true if the string is the path of a file. */
export function isPath(pem: Pem): pem is string {
  return typeof pem === 'string' && !pem.includes('-----BEGIN');
}

/** Returns an error whose message begins with the label. */
export function withLabel(label: string, cause: unknown): Error {
  return new Error(`${label}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
