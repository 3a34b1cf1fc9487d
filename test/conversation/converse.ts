import { Conversation, type ConversationOptions, Deadlines } from '@postern/conversation';
import { FakeClock, type MemoryPipeOptions, memoryPipe } from '@postern/testing';

/** A conversation over a connection in memory, with a clock that the test sets. */
export function converse(options: ConversationOptions = {}, pipe: MemoryPipeOptions = {}) {
  const clock = new FakeClock();
  const { client, server } = memoryPipe(pipe);
  const conversation = new Conversation(server, { deadlines: new Deadlines(clock), ...options });
  return { conversation, client, server, clock };
}

/** Hears a line, and rejects where hearLine throws. */
export async function hear(
  conversation: Conversation,
  maximum = 100,
  interruptible = false,
): Promise<string | undefined> {
  return conversation.hearLine(maximum, interruptible);
}

export async function message(conversation: Conversation) {
  let text = '';
  const heard = await conversation.hearMessage((piece) => {
    text += Buffer.from(piece).toString('latin1');
  });
  return { text, ...heard };
}
