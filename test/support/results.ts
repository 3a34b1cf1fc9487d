import { type EndResult, type RecipientResult, Reply } from '@postern/esmtp';

/** Returns the results that a message's `end` returned, as a list. One reply for all recipients is a list of one. */
export function resultsOf(ended: EndResult): readonly RecipientResult[] {
  if (ended === undefined) return [];
  return ended instanceof Reply ? [ended] : ended;
}
