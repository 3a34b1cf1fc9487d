import { fitsPassword, saslprep } from './saslprep/saslprep.ts';

/**
 * Returns the form of a password from which SCRAM derives keys: as SASLprep prepares it for
 * storage, or unchanged where SASLprep refuses it. PostgreSQL decides in the same way. Returns
 * undefined for a text that no server accepts as a password: see {@link isPassword}.
 */
export function preparePassword(password: string): string | undefined {
  return isPassword(password) ? (saslprep(password, 'stored') ?? password) : undefined;
}

/**
 * Returns true unless the text is empty, contains NUL, is longer than 4,096 octets, or is not
 * well-formed UTF-16.
 */
export function isPassword(text: string): boolean {
  return text !== '' && fitsPassword(text) && text.isWellFormed() && !text.includes('\0');
}
