import { Conversation, Deadlines, type Protocol } from '@postern/conversation';
import {
  ANONYMOUS,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  type Checker,
  checker,
  LoginDenied,
  Portal,
  TemporaryFailure,
  TrustedLogin,
  UnauthorizedLogin,
} from '@postern/cred';
import { MailDirectory } from '@postern/dovecot-auth';
import { FakeClock, type MemoryPipeOptions, memoryPipe, readChunk } from '@postern/testing';

/** Two users, each with one address, and one address that fails. */
export class TestDirectory extends MailDirectory {
  readonly #user: AvatarId;
  readonly #waits: boolean;

  constructor(user: AvatarId, waits = false) {
    super();
    this.#user = user;
    this.#waits = waits;
  }

  mayUseSender(sender: string) {
    return this.#answer(sender === '' || (this.#user !== ANONYMOUS && sender === `${this.#user}@example.com`), sender);
  }

  hasRecipient(recipient: string) {
    if (!recipient.endsWith('@example.com')) return this.#answer(undefined, recipient);
    return this.#answer(['ann@example.com', 'bob@example.com'].includes(recipient), recipient);
  }

  ownersOf(sender: string) {
    if (sender === 'team@example.com') return this.#answer(['ann', 'bob', 'joe smith', 'x,y'], sender);
    return this.#answer(sender === 'ann@example.com' ? ['ann'] : [], sender);
  }

  #answer<T>(answer: T, address: string): T | Promise<T> {
    if (address.startsWith('down@')) throw new Error('the directory is down');
    return this.#waits ? Promise.resolve(answer) : answer;
  }
}

/** Returns a portal whose users `ann` and `bob` exist, `eve` is disabled, and `down` fails. */
export function directoryPortal(waits = false): Portal {
  const trusted: Checker<TrustedLogin> = checker([TrustedLogin], ({ username }) => {
    if (username === 'eve') throw new LoginDenied('disabled');
    if (username === 'down') throw new TemporaryFailure('the store is down');
    if (username !== 'ann' && username !== 'bob') throw new UnauthorizedLogin();
    return username;
  });
  const realm = new AvatarRealm().provide(MailDirectory, (avatarId) => new TestDirectory(avatarId, waits));
  return new Portal(realm).register(trusted).register(new AnonymousChecker());
}

/** A client of a protocol over a connection in memory. */
export function connect(protocol: Protocol, options: MemoryPipeOptions = {}) {
  const clock = new FakeClock();
  const shutdown = new AbortController();
  const { client, server } = memoryPipe(options);
  const deadlines = new Deadlines(clock);
  const conversation = new Conversation(server, { deadlines, shutdownSignal: shutdown.signal });
  const ended = protocol(conversation);
  return { client, clock, shutdown, ended, conversation };
}

/** Sends the octets and ends the client's side. Resolves to all that the server says. */
export async function converse(
  protocol: Protocol,
  octets: string | Uint8Array,
  options: MemoryPipeOptions = {},
): Promise<string> {
  const { client, ended } = connect(protocol, options);
  const written = client.write(octets);
  const replies = await readAll(client, () => client.end(), written);
  await ended;
  return replies;
}

async function readAll(
  client: Parameters<typeof readChunk>[0],
  end: () => void,
  written: PromiseLike<void> | undefined | void,
): Promise<string> {
  let text = '';
  void Promise.resolve(written).then(end, () => {});
  for (let chunk = await readChunk(client); chunk !== undefined; chunk = await readChunk(client)) {
    text += Buffer.from(chunk).toString('latin1');
  }
  return text;
}
