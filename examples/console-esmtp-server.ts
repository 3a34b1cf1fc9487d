// A small mail server with authentication, after an example of Twisted. It prints the messages to
// `console`.
//
//   swaks --server localhost:2500 --auth PLAIN --auth-user joe --auth-password password \
//     --to console@localhost
import { once } from 'node:events';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { esmtp, type ForwardPath, type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { serve } from '@postern/node';

class ConsoleMessageDelivery extends MessageDelivery {
  override receivedHeader(): string {
    return 'Received: ConsoleMessageDelivery';
  }

  validateFrom(): void {
    // The server accepts all senders.
  }

  validateTo({ localPart }: ForwardPath): void {
    if (localPart !== 'console') throw new Rejection(550, '5.1.1', 'No such user here');
  }

  openMessage(): Message {
    return new ConsoleMessage();
  }
}

class ConsoleMessage implements Message {
  readonly #decoder = new TextDecoder();
  #text = '';

  write(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
  }

  end(): void {
    console.log(`New message received:\n${this.#text}`);
  }

  abort(): void {
    // The client disconnected, or sent an invalid message.
    this.#text = '';
  }
}

const realm = new AvatarRealm().provide(MessageDelivery, () => new ConsoleMessageDelivery());
const checker = new InMemoryUsernamePasswordDatabaseDontUse().addUser('joe', 'password');
const portal = new Portal(realm).register(checker);

const port = Number(process.argv[2] ?? 2500);
await using server = await serve({
  listeners: [
    { endpoint: { scheme: 'smtp', host: 'localhost', port }, protocol: esmtp({ hostname: 'localhost', portal }) },
  ],
  portal,
});
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
