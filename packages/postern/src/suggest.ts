import { closest, distance } from 'fastest-levenshtein';

/**
 * Returns `; did you mean "…"?` if a known word is a likely spelling of `word`, and the empty
 * string otherwise. The comparison ignores letter case.
 */
export function suggestion(word: string, known: Iterable<string>): string {
  const words = [...known];
  if (word === '' || word.length > MAX_WORD_LENGTH || words.length === 0) return '';
  const spelling = new Map(words.map((candidate) => [candidate.toLowerCase(), candidate]));
  const nearest = closest(word.toLowerCase(), [...spelling.keys()]);
  const edits = distance(word.toLowerCase(), nearest);
  const isSwap = edits === 2 && sorted(word.toLowerCase()) === sorted(nearest);
  if (edits > Math.max(1, Math.floor(nearest.length / 3)) && !isSwap) return '';
  return `; did you mean ${JSON.stringify(spelling.get(nearest))}?`;
}

/** Two swapped letters are two edits of the same letters. */
function sorted(word: string): string {
  return word.split('').sort().join('');
}

/** In UTF-16 units. A longer word is no misspelling. */
const MAX_WORD_LENGTH = 64;
