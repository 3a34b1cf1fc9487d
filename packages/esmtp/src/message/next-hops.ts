import type { Envelope, Message } from '../delivery.ts';
import type { Reply } from '../protocol/reply.ts';

/** What a next server replied to a message that goes on there. */
export interface NextHopReply {
  /** The next server's domain, or its address literal. */
  readonly host: string;
  /** Its reply to the message, mostly with the id that the message has there: `250 2.0.0 OK: queued as 4Qz`. */
  readonly reply: Reply;
  /** The recipients that the reply is about. */
  readonly recipients: readonly string[];
}

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
