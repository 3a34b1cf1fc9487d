import { readFile } from 'node:fs/promises';

/** Something in PEM form: the text or bytes themselves, or the path of a file. Text is taken for PEM if it has a `-----BEGIN` in it. */
export type Pem = string | Uint8Array;

/** Reads what is to be read. An error begins with the label. */
export async function readAll(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  return Promise.all(
    [pems].flat().map(async (pem) => {
      if (!isPath(pem)) return Buffer.from(pem);
      try {
        return await readFile(pem);
      } catch (cause) {
        // Node names the file, except where the path is a folder.
        const isNamed = cause instanceof Error && cause.message.includes(pem);
        throw explained(isNamed ? label : `${label} ${pem}`, cause);
      }
    }),
  );
}

/** True if the text is the path of a file, and not PEM itself. */
export function isPath(pem: Pem): pem is string {
  return typeof pem === 'string' && !pem.includes('-----BEGIN');
}

/** The error with a beginning that says what it is about. */
export function explained(label: string, cause: unknown): Error {
  return new Error(`${label}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
