import type { Challenger } from './challenger.ts';
import { checkChallengers } from './mechanism-name.ts';

/**
 * The challengers with some of one's own: each in the place of the one with its mechanism, or, if there is none, before all others.
 * Throws a TypeError for two of one's own with the same mechanism.
 */
export function overrideChallengers(
  challengers: readonly Challenger[],
  ...own: readonly Challenger[]
): readonly Challenger[] {
  const ours = new Map(checkChallengers(own).map((challenger) => [challenger.mechanism, challenger]));
  const known = new Set(challengers.map(({ mechanism }) => mechanism));
  return [
    ...own.filter(({ mechanism }) => !known.has(mechanism)),
    ...challengers.map((challenger) => ours.get(challenger.mechanism) ?? challenger),
  ];
}
