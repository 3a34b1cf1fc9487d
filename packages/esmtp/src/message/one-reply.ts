import type { Envelope, RecipientResult } from '../delivery.ts';
import type { FailedRecipient } from '../events.ts';
import { wantsFailure } from '../notifications/wishes.ts';
import { Reply } from '../protocol/reply.ts';

/** What became of a message for all of its recipients. */
export interface Summary {
  /** The refusal; undefined if the message is accepted. */
  readonly refusal: Reply | undefined;
  /** The recipients for whom the message failed. */
  readonly failed: readonly FailedRecipient[];
}

/**
 * Returns SMTP's one reply for all recipients (RFC 5321 §4.2.5, §6.1). The message is accepted only if each recipient has it, or
 * the sender is sure to be told of the failure. A temporary failure of one recipient makes the reply temporary: a duplicate is
 * better than a loss. A refusal of which some recipients are not part names both groups.
 */
export function summarize(
  { recipients }: Envelope,
  results: readonly RecipientResult[],
  isNotified: (recipient: number) => boolean,
): Summary {
  const failures = recipients.flatMap(({ forwardPath, parameters }, index) => {
    const reply = results[index];
    if (reply === undefined || reply.positive) return [];
    return [{ recipient: forwardPath.toString(), reply, isSettled: !wantsFailure(parameters) || isNotified(index) }];
  });
  const failed = failures.map(({ recipient, reply }) => ({ recipient, reply }));
  const isPartial = failed.length < recipients.length;
  const decisive =
    failures.find(({ reply }) => reply.code < 500) ??
    (isPartial ? failures.find(({ isSettled }) => !isSettled) : failures[0]);
  if (decisive === undefined) return { refusal: undefined, failed };
  if (!isPartial)
    return { refusal: decisive.reply, failed: failed.every(({ reply }) => reply === decisive.reply) ? [] : failed };
  const accepted = recipients
    .filter((_, index) => results[index]?.positive !== false)
    .map(({ forwardPath }) => forwardPath.toString());
  const { code, enhanced, lines } = decisive.reply;
  const refusal = new Reply(
    code,
    enhanced,
    ...lines.slice(0, MAX_REASON_LINES),
    `Not delivered to ${listOf(failed.map(({ recipient }) => recipient))}`,
    `Delivered to ${listOf(accepted)}`,
  );
  return { refusal, failed };
}

/** At most {@link MAX_NAMES} addresses, and the number of the others. */
function listOf(addresses: readonly string[]): string {
  const named = addresses.slice(0, MAX_NAMES).map((address) => `<${address}>`);
  const others = addresses.length - named.length;
  return others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
}

const MAX_NAMES = 10;
const MAX_REASON_LINES = 3;
