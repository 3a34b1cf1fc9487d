import type { Readable } from 'node:stream';
import type { Interface, Realm, RealmAvatar } from '@postern/cred';
import { type AvatarFactory, type AvatarId, AvatarRealm, type MaybePromise, type Mind, NoAvatar } from '@postern/cred';
import { type Envelope, type Message, MessageDelivery } from '@postern/esmtp';
import { StreamedMessage } from './streamed-message.ts';

/** A message that a user submits, while it arrives. */
export interface SubmittedMessage {
  /** The user who logged in. */
  readonly user: AvatarId;
  /** The connection: the client's address, its TLS, the name that it gave. */
  readonly mind: Mind;
  /** Sender, recipients, parameters and the id that stands in the reply to the client. */
  readonly envelope: Envelope;
  /** The sender's address, empty for a notification. */
  readonly from: string;
  /** The recipients' addresses, at least one. */
  readonly to: readonly string[];
  /** The header and the body as octets with CRLF line ends, as they arrive; fails if the client breaks off. Read it once. */
  readonly stream: Readable;
  /** Reads the stream to its end and returns the whole message, at most `limits.maxMessageSize` octets. */
  readonly bytes: () => Promise<Buffer>;
  /** Reads the stream to its end and returns the whole message as text, decoded as UTF-8. */
  readonly text: () => Promise<string>;
}

/**
 * Takes a message. The client hears 250 when the returned promise resolves and the message is complete. A thrown `Rejection` is the
 * reply to the client; any other error is 451, so that the client tries again.
 */
export type DeliverFunction = (message: SubmittedMessage) => MaybePromise<void>;

/** The realm in which each user's messages go to the function. */
export function realmOfFunction(deliver: DeliverFunction): Realm {
  return realmOfFactory((user, mind) => new FunctionDelivery(deliver, user, mind));
}

/** The realm in which each login gets a delivery of its own. */
export function realmOfFactory(factory: AvatarFactory<MessageDelivery>): Realm {
  return new AvatarRealm().provide(MessageDelivery, factory);
}

/** A realm in which all users share one delivery: no logout disposes of it. */
export class SharedDeliveryRealm implements Realm {
  readonly #delivery: MessageDelivery;

  constructor(delivery: MessageDelivery) {
    this.#delivery = delivery;
  }

  requestAvatar<A>(_avatarId: AvatarId, _mind: Mind, interfaces: readonly Interface<A>[]): RealmAvatar<A> {
    const delivery: unknown = this.#delivery;
    for (const wanted of interfaces) if (delivery instanceof wanted) return { avatar: delivery };
    throw new NoAvatar(`the realm provides none of ${interfaces.map(({ name }) => name).join(', ')}`);
  }
}

/** One user's delivery: every address is accepted, and the function takes the message. */
class FunctionDelivery extends MessageDelivery {
  readonly #deliver: DeliverFunction;
  readonly #user: AvatarId;
  readonly #mind: Mind;

  constructor(deliver: DeliverFunction, user: AvatarId, mind: Mind) {
    super();
    this.#deliver = deliver;
    this.#user = user;
    this.#mind = mind;
  }

  validateFrom(): void {}

  validateTo(): void {}

  openMessage(envelope: Envelope): Message {
    return new StreamedMessage((stream) => {
      const bytes = async (): Promise<Buffer> => Buffer.concat(await stream.toArray());
      return this.#deliver({
        user: this.#user,
        mind: this.#mind,
        envelope,
        from: envelope.reversePath === null ? '' : String(envelope.reversePath),
        to: envelope.recipients.map(({ forwardPath }) => String(forwardPath)),
        stream,
        bytes,
        text: async () => (await bytes()).toString(),
      });
    });
  }
}
