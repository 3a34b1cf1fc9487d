import type { Challenger } from './challenger.ts';

/** Throws a TypeError unless it is a mechanism name: 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1). */
export function checkMechanismName(name: string): void {
  if (!NAME.test(name)) throw new TypeError(`no mechanism can be called ${JSON.stringify(name)}`);
}

/**
 * The challengers as a list that a server can offer. Throws a TypeError if one is called what no mechanism can be called, or two
 * of them the same.
 */
export function checkChallengers(challengers: readonly Challenger[]): readonly Challenger[] {
  const names = new Set<string>();
  for (const { mechanism } of challengers) {
    checkMechanismName(mechanism);
    if (names.has(mechanism)) throw new TypeError(`two challengers for ${mechanism}`);
    names.add(mechanism);
  }
  return challengers;
}

const NAME = /^[A-Z0-9_-]{1,20}$/;
