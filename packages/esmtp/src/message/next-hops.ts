import type { Envelope, Message } from '../delivery.ts';
import type { NextHopReply } from '../events.ts';
import type { Reply } from '../protocol/reply.ts';

/** Returns the replies of the next servers that took the message. Call it when the message's `end` is over. */
export function nextHopsOf(message: Message, { recipients }: Envelope): readonly NextHopReply[] {
  if (message.nextHop === undefined) return NONE;
  // One reply is one object, whatever the number of its recipients.
  const found = new Map<Reply, { host: string; reply: Reply; recipients: string[] }>();
  for (const [at, { forwardPath }] of recipients.entries()) {
    const { host, reply } = message.nextHop(at) ?? {};
    if (host === undefined || reply === undefined || !reply.positive) continue;
    const nextHop = found.get(reply);
    if (nextHop === undefined) found.set(reply, { host, reply, recipients: [String(forwardPath)] });
    else nextHop.recipients.push(String(forwardPath));
  }
  return [...found.values()];
}

const NONE: readonly NextHopReply[] = [];
