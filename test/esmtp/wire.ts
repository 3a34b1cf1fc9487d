import { Conversation, type Transport } from '@postern/conversation';
import { type MemoryPipeOptions, memoryPipe, readChunk, settle } from '@postern/testing';
import { type Delivered, Server, type ServerOptions } from './server.ts';

/** The result of a session. */
export interface Outcome {
  /** All replies, with masked message ids. */
  readonly said: string;
  readonly delivered: readonly Delivered[];
  readonly server: Server;
}

/** Sends the octets and half-closes. Masks message ids, and Received fields, which hold dates. */
export async function send(
  bytes: string | Uint8Array,
  pipe: MemoryPipeOptions = {},
  options: ServerOptions = {},
): Promise<Outcome> {
  const server = new Server({ ...options, limits: { undelayedLoginFailures: 1_000, ...options.limits } });
  const { client, server: end } = memoryPipe({ tlsPolicy: 'implicit', highWaterMark: 1_000_000, ...pipe });
  const protocol = server.protocol(new Conversation(end));
  const heard = hear(client);
  await client.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  client.end();
  await protocol;
  end.destroy();
  await settle();
  client.destroy();
  return {
    said: (await heard).replace(/(250 2\.0\.0 (?:<[^>]*> )?OK )[a-z0-9]+/g, '$1ID'),
    delivered: server.delivery.delivered,
    server,
  };
}

/** Returns the messages without the server's Received field. */
export function bodies({ delivered }: Outcome): string[] {
  return delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));
}

async function hear(client: Transport): Promise<string> {
  let said = '';
  try {
    for (;;) {
      const chunk = await readChunk(client);
      if (chunk === undefined) return said;
      said += Buffer.from(chunk).toString('latin1');
    }
  } catch {
    return said;
  }
}
