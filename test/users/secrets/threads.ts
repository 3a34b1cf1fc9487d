import type { HashThreads } from '@postern/users';

/**
 * Returns threads for which one password is right: they return the stored hash for it, and another
 * hash of the same length for any other.
 */
export function threadsFor(password: string): HashThreads {
  const hash = async (presented: Uint8Array, setting: string) =>
    Buffer.from(presented).toString() === password ? setting : setting.replace(/.$/, '!');
  return { bcrypt: hash, crypt: hash };
}
