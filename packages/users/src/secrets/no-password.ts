import type { NoPassword } from './secret.ts';

/** The secret of a locked or empty field. */
export const NO_PASSWORD: NoPassword = Object.freeze({ kind: 'none' });

/**
 * Returns true for a field that is locked or empty: `!`, `*`, `*0`, `*1`, `!!`, `x`, and any other
 * text after `!` or `*`, as `usermod -L` puts one before a hash. `x` says that the hash is in
 * shadow(5). MySQL's `*` and 40 digits is a hash.
 */
export function isLocked(text: string): boolean {
  if (text === '' || text === 'x' || text.startsWith('!')) return true;
  return text.startsWith('*') && !MYSQL_HASH.test(text);
}

const MYSQL_HASH = /^\*[0-9A-Fa-f]{40}$/;
