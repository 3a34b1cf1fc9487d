import { type Conversation, PeerGone, TimedOut } from '@postern/conversation';
import { LoginError, type Mind } from '@postern/cred';
import { type BackEnd, BackEndUnavailable } from './back-end.ts';

/** A back end that has accepted the login. */
export interface OpenBackEnd<W> {
  readonly conversation: Conversation;
  readonly accepted: W;
}

/**
 * Connects to the back end of a client and logs in there, within its `loginTimeout`. A client that
 * disconnects meanwhile ends the attempt.
 *
 * @throws LoginError if the back end cannot be used; PeerGone if the client has disconnected.
 */
export async function openBackEnd<W>(client: Conversation, mind: Mind, backEnd: BackEnd<W>): Promise<OpenBackEnd<W>> {
  const attempt = new BackEndAttempt(client, mind, backEnd);
  // The conversation reads nothing meanwhile, so a client that leaves shows as a half-close only.
  client.treatHalfCloseAsDisconnect = true;
  client.addDisconnectListener(attempt);
  try {
    return await client.within(backEnd.loginTimeout, attempt.run());
  } catch (error) {
    attempt.stop();
    if (client.disconnected) throw new PeerGone();
    if (error instanceof LoginError) throw error;
    if (error instanceof TimedOut) {
      throw new BackEndUnavailable(`the login at the back end took more than ${backEnd.loginTimeout} ms`);
    }
    throw new BackEndUnavailable('the login at the back end broke off', { cause: error });
  } finally {
    client.removeDisconnectListener(attempt);
    client.treatHalfCloseAsDisconnect = false;
  }
}

/** One attempt to log in at a back end. */
class BackEndAttempt<W> {
  readonly #client: Conversation;
  readonly #mind: Mind;
  readonly #backEnd: BackEnd<W>;
  readonly #controller = new AbortController();
  #conversation: Conversation | undefined = undefined;

  constructor(client: Conversation, mind: Mind, backEnd: BackEnd<W>) {
    this.#client = client;
    this.#mind = mind;
    this.#backEnd = backEnd;
  }

  async run(): Promise<OpenBackEnd<W>> {
    const { signal } = this.#controller;
    const transport = await this.#backEnd.connect(signal);
    if (signal.aborted) {
      transport.destroy();
      throw new PeerGone();
    }
    const conversation = this.#client.beside(transport);
    this.#conversation = conversation;
    conversation.readTimeout = this.#backEnd.loginTimeout;
    return { conversation, accepted: await this.#backEnd.logIn(conversation, this.#mind) };
  }

  onDisconnect(): void {
    this.stop();
  }

  stop(): void {
    this.#controller.abort(new PeerGone());
    this.#conversation?.destroy();
  }
}
