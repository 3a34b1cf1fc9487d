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
import { RecipientCallout } from './recipient-callout.ts';
import { asRejection } from './refusals.ts';
import type { Smarthost } from './smarthost.ts';
import { SpooledContent } from './spooled-content.ts';
import { SpooledMessage } from './spooled-message.ts';

/**
 * Hands messages to the next server. It hears of each recipient when our client names it, so that its refusals arrive where they
 * belong. One for each login; the smarthost is for all.
 */
export class RelayDelivery extends MessageDelivery implements Disposable {
  readonly #smarthost: Smarthost;
  readonly #keys: readonly string[];
  readonly #nextServer: NextServer;
  #enquiry: RecipientCallout | undefined;

  /** The client's user and network have at most their share of the connections. Default: no limit. */
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

  /** Refuses nothing yet: the next server is asked together with the first recipient. */
  validateFrom(reversePath: ReversePath, parameters: MailParameters): void {
    this.#enquiry?.end();
    this.#enquiry = new RecipientCallout(this.#nextServer.acquire, { reversePath, parameters });
  }

  async validateTo(forwardPath: ForwardPath, parameters: RcptParameters): Promise<void> {
    try {
      await this.#enquiry?.ask({ forwardPath, parameters });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  openMessage(envelope: Envelope): Message {
    const transaction = this.#enquiry?.end(envelope);
    this.#enquiry = undefined;
    const { body, smtpUtf8 } = envelope.parameters;
    const message = {
      envelope,
      content: new SpooledContent(this.#smarthost.spool, this.#keys),
      scan: smtpUtf8 || body === '8BITMIME' ? new ContentScan() : undefined,
    };
    return new SpooledMessage(this.#nextServer, message, transaction);
  }

  /** Gives up what is under way with the next server, short of a message. */
  [Symbol.dispose](): void {
    this.#enquiry?.end();
    this.#enquiry = undefined;
  }

  /** As our client shall hear it; what it has no part in is told to the operator. */
  #explain(error: unknown): Rejection {
    if (!(error instanceof Rejection || error instanceof UnsupportedExtension || error instanceof BadMessage)) {
      this.#smarthost.tell(error);
    }
    return asRejection(error);
  }
}
