import type { MaybePromise } from '@postern/cred';
import {
  type Envelope,
  type ForwardPath,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  Rejection,
} from '@postern/esmtp';
import { disposeOf } from './dispose-of.ts';

/** The ways to senders. */
export interface SenderWays {
  /** Where mail for senders who live here is kept. Undefined if no mail is kept here. */
  readonly local: MessageDelivery | undefined;
  /** Returns true for a sender who lives here. */
  readonly livesHere: (sender: ForwardPath) => MaybePromise<boolean>;
  /** What sends to all other senders. Undefined if nothing does. */
  readonly remote: MessageDelivery | undefined;
}

/** Delivers notifications: into the mailbox of a sender who lives here, else by the other way. */
export class SenderDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #ways: SenderWays;
  readonly #chosen = new WeakMap<ForwardPath, MessageDelivery>();

  constructor(ways: SenderWays) {
    super();
    this.#ways = ways;
  }

  /** The way is not known before the recipient. */
  validateFrom(): void {}

  async validateTo(sender: ForwardPath, parameters: RcptParameters, mail?: MailParameters): Promise<void> {
    const { local, livesHere, remote } = this.#ways;
    const way = local !== undefined && (await livesHere(sender)) ? local : remote;
    if (way === undefined) throw new Rejection(550, '5.4.4', 'No way to this sender');
    await way.validateFrom(null, mail ?? { smtpUtf8: !sender.isAscii });
    await way.validateTo(sender, parameters, mail);
    this.#chosen.set(sender, way);
  }

  openMessage(envelope: Envelope): MaybePromise<Message> {
    const [recipient] = envelope.recipients;
    const way = recipient && this.#chosen.get(recipient.forwardPath);
    if (way === undefined) throw new Rejection(550, '5.4.4', 'No way to this sender');
    return way.openMessage(envelope);
  }

  /** Disposes of both ways. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { local, remote } = this.#ways;
    const disposals = [local, remote].map(async (way) => {
      if (way !== undefined) await disposeOf(way);
    });
    await Promise.allSettled(disposals);
    await Promise.all(disposals);
  }
}
