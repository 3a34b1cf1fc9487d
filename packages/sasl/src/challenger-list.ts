import type { Challenger } from './challenger.ts';

/**
 * Checks a mechanism name.
 *
 * @throws TypeError unless the name is 1 to 20 of `A`–`Z`, `0`–`9`, `-` and `_` (RFC 4422 §3.1).
 */
export function checkMechanismName(name: string): void {
  if (!NAME.test(name)) {
    throw new TypeError(`mechanism ${JSON.stringify(name)}: expected 1 to 20 of A-Z, 0-9, - and _`);
  }
}

/**
 * Returns the challengers unchanged if a server can offer them as one list.
 *
 * @throws TypeError for a wrong mechanism name, and for two challengers with one name.
 */
export function checkChallengers(challengers: readonly Challenger[]): readonly Challenger[] {
  const names = new Set<string>();
  for (const { mechanism } of challengers) {
    checkMechanismName(mechanism);
    if (names.has(mechanism))
      throw new TypeError(`challengers: ${mechanism} occurs twice; expected one challenger for it`);
    names.add(mechanism);
  }
  return challengers;
}

/**
 * Returns the challengers with each of `own` in place of the one with the same mechanism. A
 * mechanism that the list does not have comes first.
 *
 * @throws TypeError for two challengers of `own` with one name.
 */
export function overrideChallengers(
  challengers: readonly Challenger[],
  ...own: readonly Challenger[]
): readonly Challenger[] {
  const replacements = new Map(checkChallengers(own).map((challenger) => [challenger.mechanism, challenger]));
  const known = new Set(challengers.map(({ mechanism }) => mechanism));
  return [
    ...own.filter(({ mechanism }) => !known.has(mechanism)),
    ...challengers.map((challenger) => replacements.get(challenger.mechanism) ?? challenger),
  ];
}

const NAME = /^[A-Z0-9_-]{1,20}$/;
