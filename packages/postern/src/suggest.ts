import { closest, distance } from 'fastest-levenshtein';

/**
 * Returns `; did you mean "…"?` if one of the known words is a likely spelling of the given one,
 * and an empty string otherwise. Letter case is ignored.
 */
export function suggestion(given: string, known: Iterable<string>): string {
  const words = [...known];
  if (given === '' || given.length > MAX_LENGTH || words.length === 0) return '';
  const spelling = new Map(words.map((word) => [word.toLowerCase(), word]));
  const nearest = closest(given.toLowerCase(), [...spelling.keys()]);
  const edits = distance(given.toLowerCase(), nearest);
  const isSwap = edits === 2 && sorted(given.toLowerCase()) === sorted(nearest);
  if (edits > Math.max(1, Math.floor(nearest.length / 3)) && !isSwap) return '';
  return `; did you mean ${JSON.stringify(spelling.get(nearest))}?`;
}

/** Two swapped letters are two edits, and the same letters. */
function sorted(word: string): string {
  return word.split('').sort().join('');
}

/** Longer words are no misspelling: in UTF-16 units. */
const MAX_LENGTH = 64;
