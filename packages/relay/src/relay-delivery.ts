import {
  type Envelope,
  type ForwardPath,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  Rejection,
  type ReversePath,
} from '@postern/esmtp';
import { BadMessage, UnsupportedExtension } from '@postern/esmtp/client';
import { clientKeys, type RelayClient } from './client-keys.ts';
import { ContentScan } from './content-scan.ts';
import type { NextServer } from './hand-over.ts';
import { rejectionFor } from './next-server-replies.ts';
import { RecipientCallout } from './recipient-callout.ts';
import type { Smarthost } from './smarthost.ts';
import { SpooledContent } from './spooled-content.ts';
import { SpooledMessage } from './spooled-message.ts';

/**
 * Sends messages to the next server. It asks the next server about each recipient at RCPT, so that
 * a refusal is the reply to that RCPT. Each login has its own delivery. One smarthost serves all.
 *
 * @example
 * ```ts
 * import { AvatarRealm } from '@postern/cred';
 * import { MessageDelivery } from '@postern/esmtp';
 * import { RelayDelivery, Smarthost } from '@postern/relay';
 *
 * const smarthost = new Smarthost({ endpoint: { host: 'smtp.example.net', port: 587 } });
 * export const realm = new AvatarRealm().provide(
 *   MessageDelivery,
 *   (avatarId, mind) => new RelayDelivery(smarthost, { avatarId, mind }),
 * );
 * ```
 */
export class RelayDelivery extends MessageDelivery implements Disposable {
  readonly #smarthost: Smarthost;
  readonly #keys: readonly string[];
  readonly #nextServer: NextServer;
  #callout: RecipientCallout | undefined;

  /**
   * Takes the smarthost, and the client whose user and network are limited to their share. Default:
   * no limit.
   */
  constructor(smarthost: Smarthost, client?: RelayClient) {
    super();
    this.#smarthost = smarthost;
    this.#keys = clientKeys(client);
    this.#nextServer = {
      host: smarthost.host,
      acquire: (fresh) => smarthost.acquire(fresh, this.#keys),
      deadlines: smarthost.deadlines,
      dataTimeout: smarthost.dataTimeout,
      explain: (error) => this.#explain(error),
    };
  }

  /** Refuses no sender: the next server hears the sender with the first recipient. */
  validateFrom(reversePath: ReversePath, parameters: MailParameters): void {
    this.#callout?.end();
    this.#callout = new RecipientCallout(this.#nextServer.acquire, { reversePath, parameters });
  }

  async validateTo(forwardPath: ForwardPath, parameters: RcptParameters): Promise<void> {
    try {
      await this.#callout?.ask({ forwardPath, parameters });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  openMessage(envelope: Envelope): Message {
    const transaction = this.#callout?.end(envelope);
    this.#callout = undefined;
    const { body, smtpUtf8 } = envelope.parameters;
    const message = {
      envelope,
      content: new SpooledContent(this.#smarthost.spool, this.#keys),
      scan: smtpUtf8 || body === '8BITMIME' ? new ContentScan() : undefined,
    };
    return new SpooledMessage(this.#nextServer, message, transaction);
  }

  /** Drops an open transaction that has no message yet. */
  [Symbol.dispose](): void {
    this.#callout?.end();
    this.#callout = undefined;
  }

  /** Returns the Rejection for the client, and reports an error that the client has not caused. */
  #explain(error: unknown): Rejection {
    if (!(error instanceof Rejection || error instanceof UnsupportedExtension || error instanceof BadMessage)) {
      this.#smarthost.report(error);
    }
    return rejectionFor(error);
  }
}
