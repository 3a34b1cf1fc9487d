import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Protocol } from '@postern/conversation';

export const echo: Protocol = async (conversation) => {
  conversation.say((await conversation.hearLine(1000)) ?? '');
};

/** Resolves with all that the socket receives until its end. */
export async function heardBy(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed && !socket.readableEnded) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return Buffer.concat(chunks).toString();
}
