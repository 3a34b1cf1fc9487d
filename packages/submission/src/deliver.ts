import type { Readable } from 'node:stream';
import type { Interface, Realm, RealmAvatar } from '@postern/cred';
import { type AvatarFactory, type AvatarId, AvatarRealm, type MaybePromise, type Mind, NoAvatar } from '@postern/cred';
import { type Envelope, type Message, MessageDelivery } from '@postern/esmtp';
import { StreamedMessage } from './streamed-message.ts';

/** A message of a user, while the server receives it. */
export interface SubmittedMessage {
  /** The logged-in user. */
  readonly user: AvatarId;
  /** The connection: the client's address, TLS and name. */
  readonly mind: Mind;
  /** Sender, recipients, parameters, and the id in the reply to the client. */
  readonly envelope: Envelope;
  /** The sender's address; the empty string for a notification (null reverse-path). */
  readonly from: string;
  /** The recipients' addresses, at least one. */
  readonly to: readonly string[];
  /**
   * The header and the body as octets with CRLF line ends. The stream fails if the client
   * disconnects. It can be read once.
   */
  readonly stream: Readable;
  /**
   * Reads the stream to its end. Resolves to the message, at most `limits.maxMessageSize` octets.
   */
  readonly bytes: () => Promise<Buffer>;
  /** Reads the stream to its end. Resolves to the message as text, decoded as UTF-8. */
  readonly text: () => Promise<string>;
}

/**
 * Delivers a message. The reply is 250 when the returned promise has resolved and the message is
 * complete. A thrown `Rejection` is the reply to the client. The reply to any other error is 451:
 * the client tries again.
 */
export type DeliverFunction = (message: SubmittedMessage) => MaybePromise<void>;

/** Returns the realm in which the function delivers the messages of all users. */
export function realmOfFunction(deliver: DeliverFunction): Realm {
  return realmOfFactory((user, mind) => new FunctionDelivery(deliver, user, mind));
}

/** Returns the realm in which each login has its own delivery. */
export function realmOfFactory(factory: AvatarFactory<MessageDelivery>): Realm {
  return new AvatarRealm().provide(MessageDelivery, factory);
}

/** A realm in which all users share one delivery. A logout does not dispose of it. */
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

/** The delivery of one user: it accepts every address, and the function delivers the message. */
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
