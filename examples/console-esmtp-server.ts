// A toy mail server with authentication, after the one that comes with Twisted: what is sent to `console` is printed.
//
//   swaks --server localhost:2500 --auth PLAIN --auth-user guest --auth-password password --to console@localhost
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { esmtp, type ForwardPath, type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { listen } from '@postern/node';

class ConsoleMessageDelivery extends MessageDelivery {
  override receivedHeader(): string {
    return 'Received: ConsoleMessageDelivery';
  }

  validateFrom(): void {
    // All addresses are accepted.
  }

  validateTo({ localPart }: ForwardPath): void {
    // Only messages directed to the "console" user are accepted.
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
    // There was an error: throw away what has come.
    this.#text = '';
  }
}

const realm = new AvatarRealm().provide(MessageDelivery, () => new ConsoleMessageDelivery());
const checker = new InMemoryUsernamePasswordDatabaseDontUse().addUser('guest', 'password');
const portal = new Portal(realm).register(checker);

const port = Number(process.argv[2] ?? 2500);
const listener = await listen({
  endpoint: { scheme: 'smtp', host: 'localhost', port },
  protocol: esmtp({ hostname: 'localhost', portal }),
});
console.log(`listening ${listener.url}`);
