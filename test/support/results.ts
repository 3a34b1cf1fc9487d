import { type EndResult, type RecipientResult, Reply } from '@postern/esmtp';

/** Returns the results of a message's `end` as a list: of one for a reply to all recipients. */
export function resultsOf(ended: EndResult): readonly RecipientResult[] {
  if (ended === undefined) return [];
  return ended instanceof Reply ? [ended] : ended;
}
