import { Conversation, type Transport } from '@postern/conversation';
import { type MemoryPipeOptions, memoryPipe } from '@postern/testing';
import { expect } from 'vitest';

/**
 * A server that says the `S:` lines of a script and expects the `C:` lines, in memory; `<starttls>`
 * starts TLS, `S: <close>` closes, `C: <closed>` expects the client's end. Resolves `over` when the
 * script has been played.
 */
export function scriptedServer(
  script: string,
  options: MemoryPipeOptions = {},
): { transport: Transport; over: Promise<void> } {
  const { client, server } = memoryPipe(options);
  const over = play(new Conversation(server), script.trim().split('\n'));
  over.catch(() => server.destroy());
  return { transport: client, over };
}

/** Plays the server's part of a script. */
export async function play(conversation: Conversation, script: readonly string[]): Promise<void> {
  for (const line of script) {
    const [, speaker, text = ''] = /^\s*([CS]): ?(.*)$/.exec(line) ?? [];
    if (text === '<starttls>') await conversation.startTls();
    else if (text === '<close>') await conversation.close();
    else if (text === '<closed>') expect(await conversation.hearLine(65_536)).toBeUndefined();
    else if (speaker === 'S') conversation.say(`${text}\r\n`);
    else expect(await conversation.hearLine(65_536)).toBe(text);
  }
  await conversation.flush();
}
