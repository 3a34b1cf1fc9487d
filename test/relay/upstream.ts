import { Conversation, type Transport } from '@postern/conversation';
import { type Envelope, Mailbox, type MailParameters, type Message, type RecipientResult } from '@postern/esmtp';
import { RelayDelivery, Smarthost, type SmarthostOptions } from '@postern/relay';
import { type MemoryPipeOptions, memoryPipe } from '@postern/testing';
import { play } from '../esmtp/client/scripted-server.ts';
import { resultsOf } from '../support/results.ts';

export const joe = new Mailbox('joe', 'example.com');
export const ann = new Mailbox('ann', 'example.org');
export const eve = new Mailbox('eve', 'example.org');

/** The beginning of a dialogue with a server that has these extensions. */
export function greeting(...extensions: readonly string[]): string {
  const lines = ['mx.example.org', ...extensions];
  const said = lines.map((line, at) => `S: 250${at === lines.length - 1 ? ' ' : '-'}${line}`);
  return ['S: 220 mx.example.org', 'C: EHLO relay.example.com', ...said].join('\n');
}

/** A transaction for ann that succeeds up to DATA. */
export const TO_ANN = `
  C: MAIL FROM:<joe@example.com>
  S: 250 2.1.0 ok
  C: RCPT TO:<ann@example.org>
  S: 250 2.1.5 ok
  C: DATA
  S: 354 go`;

/** A message for ann and eve that says hello, and the answers to it. */
export const toBoth = (answers: string): string => `
  C: MAIL FROM:<joe@example.com>
  S: 250 2.1.0 ok
  C: RCPT TO:<ann@example.org>
  S: 250 2.1.5 ok
  C: RCPT TO:<eve@example.org>
  S: 250 2.1.5 ok
  C: DATA
  S: 354 go
  C: hello
  C: .
  ${answers}`;

/** A message that says hello. */
export const HELLO = `
  C: hello
  C: .
  S: 250 2.0.0 kept`;

export const RSET = `
  C: RSET
  S: 250 2.0.0 ok`;

/** A smarthost in memory that plays one script for each connection. */
export function scripted(
  scripts: readonly string[],
  options: Partial<SmarthostOptions> = {},
  pipe?: MemoryPipeOptions,
) {
  const rest = [...scripts];
  const played: Promise<Conversation>[] = [];
  const troubles: unknown[] = [];
  const smarthost = new Smarthost({
    endpoint: { host: 'mx.example.org', port: 25 },
    hostname: 'relay.example.com',
    tls: 'none',
    onError: (error) => troubles.push(error),
    async connect(): Promise<Transport> {
      const script = rest.shift();
      if (script === undefined) throw new Error('nobody answers there');
      const { client, server } = memoryPipe(pipe);
      const conversation = new Conversation(server);
      const over = play(conversation, script.trim().split('\n')).then(() => conversation);
      over.catch(() => server.destroy());
      played.push(over);
      return client;
    },
    ...options,
  });
  return {
    smarthost,
    delivery: new RelayDelivery(smarthost),
    troubles,
    /** Resolves if every script was begun and has been played to its end. */
    over: async (): Promise<void> => {
      if (rest.length > 0) throw new Error(`${rest.length} connections were not made`);
      await Promise.all(played);
    },
    /** Says something more on the first connection, behind its script. */
    answer: async (line: string): Promise<void> => {
      const conversation = await played[0];
      conversation?.say(`${line}\r\n`);
      await conversation?.flush();
    },
    /**
     * All that comes on the first connection behind its script, up to the end of the connection.
     */
    heard: async (): Promise<string> => {
      const conversation = await played[0];
      let heard = '';
      const take = (piece: Uint8Array): void => {
        heard += Buffer.from(piece).toString('latin1');
      };
      try {
        await conversation?.hearBytes(Number.POSITIVE_INFINITY, take);
      } catch {
        // It never ends well.
      }
      return heard;
    },
  };
}

/** The envelope of a message from joe. */
export function envelope(to: readonly Mailbox[], parameters: Partial<MailParameters> = {}): Envelope {
  return {
    reversePath: joe,
    parameters: { smtpUtf8: false, ...parameters },
    recipients: to.map((forwardPath) => ({ forwardPath, parameters: {} })),
    id: 'id1',
  };
}

/** What a server does with a delivery for a whole message; resolves to the codes of the results. */
export async function deliver(delivery: RelayDelivery, to: Envelope, text = 'hello\r\n'): Promise<readonly number[]> {
  await name(delivery, to);
  return codes(await finish(delivery.openMessage(to), text));
}

/** MAIL and RCPT. */
export async function name(delivery: RelayDelivery, { reversePath, parameters, recipients }: Envelope): Promise<void> {
  delivery.validateFrom(reversePath, parameters);
  for (const { forwardPath, parameters } of recipients) await delivery.validateTo(forwardPath, parameters);
}

export async function finish(message: Message, text = 'hello\r\n'): Promise<readonly RecipientResult[]> {
  await message.write(Buffer.from(text));
  return resultsOf(await message.end());
}

export function codes(results: readonly RecipientResult[]): readonly number[] {
  return results.map((reply) => reply?.code ?? 250);
}
