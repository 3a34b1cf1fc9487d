import { Conversation, type ConversationOptions, Deadlines } from '@postern/conversation';
import { FakeClock, type MemoryPipeOptions, memoryPipe } from '@postern/testing';

/** A conversation over a connection in memory, with a clock that the test sets. */
export function converse(options: ConversationOptions = {}, pipe: MemoryPipeOptions = {}) {
  const clock = new FakeClock();
  const { client, server } = memoryPipe(pipe);
  const conversation = new Conversation(server, { deadlines: new Deadlines(clock), ...options });
  return { conversation, client, server, clock };
}
