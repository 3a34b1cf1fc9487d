import { Conversation } from '@postern/conversation';
import { AnonymousChecker, AvatarRealm, Portal } from '@postern/cred';
import { esmtp, type Mailbox, MessageDelivery } from '@postern/esmtp';
import {
  connectSmtp,
  mailCommand,
  type OutgoingMessage,
  rcptCommand,
  type SmtpClient,
  SmtpReplyError,
} from '@postern/esmtp/client';
import { memoryPipe } from '../memory-pipe.ts';

/** A client of a server with one delivery, over a connection in memory. */
export class DeliverySession {
  readonly #client: SmtpClient;
  readonly #served: Promise<void>;

  private constructor(client: SmtpClient, served: Promise<void>) {
    this.#client = client;
    this.#served = served;
  }

  static async open(delivery: MessageDelivery, lmtp: boolean): Promise<DeliverySession> {
    const realm = new AvatarRealm().provide(MessageDelivery, () => delivery);
    const portal = new Portal(realm).register(new AnonymousChecker());
    const options = { newlines: 'reject', addMissingHeaders: false, removeBcc: false } as const;
    const service = lmtp ? 'lmtp' : 'mx';
    const protocol = esmtp({ hostname: 'mx.example.com', portal, service, onEvent: () => {}, ...options });
    const { client, server } = memoryPipe();
    const served = protocol(new Conversation(server)).finally(() => server.destroy());
    return new DeliverySession(
      await connectSmtp(client, { hostname: 'client.example.org', lmtp, startTls: 'none' }),
      served,
    );
  }

  /**
   * Sends a message and closes. Resolves with the reply code of each recipient; undefined if the
   * connection broke before the reply.
   */
  async send(recipients: readonly Mailbox[], body: Uint8Array): Promise<readonly (number | undefined)[]> {
    let outgoing: OutgoingMessage | undefined;
    try {
      outgoing = await this.#client.open({ from: null, to: recipients });
      await outgoing.write(body);
      const replies = await outgoing.end();
      return replies.map(({ code }) => code);
    } catch (error) {
      if (error instanceof SmtpReplyError) return recipients.map(() => error.reply.code);
      return recipients.map((_, index) => outgoing?.replies[index]?.code);
    } finally {
      await this.close();
    }
  }

  /** Declares a SIZE at MAIL and resolves with the reply code of each RCPT. */
  async declare(recipients: readonly Mailbox[], size: number): Promise<readonly number[]> {
    await this.#client.command(mailCommand(this.#client, null, { size }));
    const replies = await this.#client.commands(
      recipients.map((recipient) => rcptCommand(this.#client, recipient, {})),
    );
    return replies.map(({ code }) => code);
  }

  /** Sends the beginning of a message and disconnects. Resolves when the session has ended. */
  async breakOff(recipients: readonly Mailbox[], beginning: Uint8Array): Promise<void> {
    const outgoing = await this.#client.open({ from: null, to: recipients });
    await outgoing.write(beginning);
    outgoing.abort();
    await this.#served.catch(() => {});
  }

  async close(): Promise<void> {
    this.#client.conversation.destroy();
    await this.#served.catch(() => {});
  }
}
