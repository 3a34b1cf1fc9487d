import type { EndResult, Envelope, Message, RecipientResult } from '../delivery.ts';
import type { FailedRecipient, NextHopReply } from '../events.ts';
import { wantsFailure } from '../protocol/parameters.ts';
import { Reply } from '../protocol/reply.ts';

/**
 * Returns the result of each recipient, from the return value of {@link Message.end}. The list may
 * be shorter than the list of recipients: a recipient without a result has the message.
 *
 * @throws TypeError for a value of another type, which JavaScript allows: it must not count as an
 * acceptance.
 */
export function recipientResults(ended: EndResult, recipients: number): readonly RecipientResult[] {
  if (ended === undefined) return NO_RESULTS;
  if (ended instanceof Reply) return Array.from({ length: recipients }, () => ended);
  if (!isListOfResults(ended)) throw new TypeError('end returned neither a Reply nor a list of results');
  return ended;
}

function isListOfResults(ended: unknown): ended is readonly RecipientResult[] {
  return Array.isArray(ended) && ended.every((result) => result === undefined || result instanceof Reply);
}

/** The results of a message for all of its recipients. */
export interface Summary {
  /** The reply that refuses the message; undefined if the message is accepted. */
  readonly refusal: Reply | undefined;
  /**
   * The delivery's own reply to an accepted message, which is the same for each recipient;
   * undefined without one.
   */
  readonly acceptance: Reply | undefined;
  /** The recipients without the message. */
  readonly failed: readonly FailedRecipient[];
}

/**
 * Returns SMTP's one reply for all recipients (RFC 5321 §4.2.5, §6.1). The message is accepted only
 * if each recipient has it, or the sender is sure to get a notification of the failure. A temporary
 * failure of one recipient makes the reply temporary: a duplicate is better than a loss. A refusal
 * of a message that some recipients have names both groups.
 */
export function summarize(
  { recipients }: Envelope,
  results: readonly RecipientResult[],
  isNotified: (recipient: number) => boolean,
): Summary {
  if (results.length === 0) return ALL_ACCEPTED;
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
  if (decisive === undefined)
    return { refusal: undefined, acceptance: acceptanceOf(results, recipients.length), failed };
  if (!isPartial) {
    const isOneReply = failed.every(({ reply }) => reply === decisive.reply);
    return { refusal: decisive.reply, acceptance: undefined, failed: isOneReply ? [] : failed };
  }
  const accepted = recipients.filter((_, index) => results[index]?.positive !== false);
  const { code, enhanced, lines } = decisive.reply;
  const refusal = new Reply(
    code,
    enhanced,
    ...lines.slice(0, MAX_REASON_LINES),
    `Not delivered to ${formatAddresses(failed.map(({ recipient }) => recipient))}`,
    `Delivered to ${formatAddresses(accepted.map(({ forwardPath }) => forwardPath.toString()))}`,
  );
  return { refusal, acceptance: undefined, failed };
}

/**
 * Returns the positive replies of the next servers. Call it after the message's `end` has resolved.
 */
export function nextHopsOf(message: Message, { recipients }: Envelope): readonly NextHopReply[] {
  if (message.nextHop === undefined) return NO_HOPS;
  // A reply to several recipients is one object.
  const hops = new Map<Reply, { host: string; reply: Reply; recipients: string[] }>();
  for (const [index, { forwardPath }] of recipients.entries()) {
    const { host, reply } = message.nextHop(index) ?? {};
    if (host === undefined || reply === undefined || !reply.positive) continue;
    const hop = hops.get(reply);
    if (hop === undefined) hops.set(reply, { host, reply, recipients: [String(forwardPath)] });
    else hop.recipients.push(String(forwardPath));
  }
  return [...hops.values()];
}

/** A 3xx reply would ask the client for more: only 2xx passes. */
function acceptanceOf(results: readonly RecipientResult[], recipients: number): Reply | undefined {
  const [first] = results;
  if (first === undefined || first.code >= 300 || results.length < recipients) return undefined;
  const text = String(first);
  if (!results.every((result) => result === first || String(result) === text)) return undefined;
  // RFC 2034 §4: each 2xx reply has an enhanced status code.
  return first.enhanced === undefined ? new Reply(first.code, '2.0.0', ...first.lines) : first;
}

function formatAddresses(addresses: readonly string[]): string {
  const named = addresses.slice(0, MAX_ADDRESSES).map((address) => `<${address}>`);
  const others = addresses.length - named.length;
  return others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
}

const MAX_ADDRESSES = 10;
const MAX_REASON_LINES = 3;
const NO_RESULTS: readonly RecipientResult[] = [];
const NO_HOPS: readonly NextHopReply[] = [];
const ALL_ACCEPTED: Summary = { refusal: undefined, acceptance: undefined, failed: [] };
