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
import { disposeOfAll } from './delivery-target.ts';

/** The routes of notifications to senders. */
export interface SenderRoutes {
  /** The delivery into the mailboxes of this server. Undefined if the server stores no mail. */
  readonly local: MessageDelivery | undefined;
  /** Returns true for a sender with a mailbox on this server. */
  readonly isLocal: (sender: ForwardPath) => MaybePromise<boolean>;
  /** The delivery to all other senders. Undefined if no server sends them on. */
  readonly remote: MessageDelivery | undefined;
}

/**
 * Delivers notifications into the mailbox of a local sender, and to other senders by the remote
 * route.
 */
export class SenderDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #routes: SenderRoutes;
  readonly #chosen = new WeakMap<ForwardPath, MessageDelivery>();

  constructor(routes: SenderRoutes) {
    super();
    this.#routes = routes;
  }

  /** The route depends on the recipient: `validateTo` calls `validateFrom` of the route. */
  validateFrom(): void {}

  async validateTo(sender: ForwardPath, parameters: RcptParameters, mail?: MailParameters): Promise<void> {
    const { local, isLocal, remote } = this.#routes;
    const route = local !== undefined && (await isLocal(sender)) ? local : remote;
    if (route === undefined) throw noRoute();
    await route.validateFrom(null, mail ?? { smtpUtf8: !sender.isAscii });
    await route.validateTo(sender, parameters, mail);
    this.#chosen.set(sender, route);
  }

  openMessage(envelope: Envelope): MaybePromise<Message> {
    const [recipient] = envelope.recipients;
    const route = recipient && this.#chosen.get(recipient.forwardPath);
    if (route === undefined) throw noRoute();
    return route.openMessage(envelope);
  }

  /** Disposes of both routes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { local, remote } = this.#routes;
    await disposeOfAll([local, remote].filter((route) => route !== undefined));
  }
}

function noRoute(): Rejection {
  return new Rejection(550, '5.4.4', 'No route to this sender');
}
