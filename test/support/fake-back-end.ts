import { Conversation, type TlsPolicy, type Transport } from '@postern/conversation';
import { memoryPipe } from '@postern/testing';

/** A back end that plays a script to each client, and what it saw. */
export interface FakeBackEnd {
  readonly connect: () => Transport;
  /** The lines of all sessions, with the differences from the script. */
  readonly transcript: string[];
  /** The connections so far. */
  readonly connections: Conversation[];
}

/**
 * Plays a script as the server: `S:` lines are sent, `C:` lines are expected, `S: <starttls>`
 * starts TLS, `S: <close>` closes, `S: <hang>` says nothing more, and `S: <raw x>` has no CRLF.
 * After the script each line of the client is echoed as `* ECHO line`.
 */
export function fakeBackEnd(script: string, tlsPolicy: TlsPolicy = 'none'): FakeBackEnd {
  const transcript: string[] = [];
  const connections: Conversation[] = [];
  const steps = script.split('\n').map((line) => line.trim());
  const connect = (): Transport => {
    const { client, server } = memoryPipe({ tlsPolicy });
    const conversation = new Conversation(server);
    connections.push(conversation);
    play(conversation, steps.filter(Boolean), transcript).catch((error: unknown) => {
      transcript.push(String(error));
      conversation.destroy();
    });
    return client;
  };
  return { connect, transcript, connections };
}

async function play(conversation: Conversation, steps: readonly string[], transcript: string[]): Promise<void> {
  for (const step of steps) {
    const [, side, text = ''] = /^([CS]): ?(.*)$/.exec(step) ?? [];
    if (side === 'C') {
      const line = await conversation.hearLine(16_384);
      transcript.push(line === text ? `C: ${line}` : `C: ${line} (expected ${text})`);
      continue;
    }
    const [, raw] = /^<raw (.*)>$/.exec(text) ?? [];
    if (text === '<hang>') {
      while ((await conversation.hearLine(16_384)) !== undefined);
      return conversation.close();
    }
    if (text === '<close>') return conversation.close();
    if (text === '<reset>') return conversation.destroy();
    if (text === '<starttls>') await conversation.startTls();
    else conversation.say(raw ?? `${text}\r\n`);
    await conversation.flush();
    transcript.push(`S: ${text}`);
  }
  for (;;) {
    const line = await conversation.hearLine(65_536);
    if (line === undefined) return conversation.close();
    transcript.push(`C: ${line}`);
    conversation.say(`* ECHO ${line}\r\n`);
  }
}
