import { Conversation, type Deadlines, type Transport } from '@postern/conversation';
import { authenticate, type Responder } from '@postern/sasl/client';
import { ehloName } from './ehlo-name.ts';
import { SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { SmtpClient } from './smtp-client.ts';
import type { DialogueLogger } from './smtp-dialogue.ts';
import { SmtpSasl } from './smtp-sasl.ts';

/** The options of {@link connectSmtp}. */
export interface SmtpClientOptions {
  /**
   * The client's own name, for EHLO: a fully qualified domain or an address literal. Default: the
   * literal of the client's address (RFC 5321 §4.1.4).
   */
  readonly hostname?: string;
  /**
   * The use of STARTTLS on a transport without TLS. `required` rejects if the server does not offer
   * it. `offered` uses it if the server offers it, which an attacker can prevent. `none` never uses
   * it. Default: `required`, or `offered` for a server on this machine.
   */
  readonly startTls?: 'required' | 'offered' | 'none';
  /**
   * The responders for the login. The client uses the strongest one that the server offers.
   * Default: no login.
   */
  readonly responders?: readonly Responder[];
  /**
   * Allows mechanisms that expose the password or token on a channel that is not secure. Default:
   * false.
   */
  readonly allowCleartext?: boolean;
  /** True for LMTP (RFC 2033) instead of SMTP. Default: false. */
  readonly lmtp?: boolean;
  /** The most milliseconds until a reply of the server. Default: 300,000 (RFC 5321 §4.5.3.2). */
  readonly readTimeout?: number;
  /**
   * The most milliseconds until the reply to a message. Default: 600,000. A shorter time may
   * deliver a message twice.
   */
  readonly dataTimeout?: number;
  /**
   * The timer of the deadlines. A program shares one object among its clients. Default: a new one.
   */
  readonly deadlines?: Deadlines;
  /** Called with each line of the dialogue, without secrets. Default: no call. */
  readonly logDialogue?: DialogueLogger;
}

/**
 * Greets an SMTP or LMTP server, starts TLS, logs in, and resolves to a client that can send
 * messages. If it rejects, the transport is closed.
 *
 * @throws SmtpReplyError, SmtpProtocolError, SaslError, ConversationError
 */
export async function connectSmtp(transport: Transport, options: SmtpClientOptions): Promise<SmtpClient> {
  const {
    hostname = ehloName(undefined, transport.local),
    deadlines,
    lmtp = false,
    readTimeout = 300_000,
    dataTimeout = 600_000,
    logDialogue = () => {},
  } = options;
  const conversation = new Conversation(
    transport,
    deadlines === undefined ? { readTimeout } : { readTimeout, deadlines },
  );
  const client = new SmtpClient(conversation, { hostname, lmtp, logDialogue, dataTimeout });
  try {
    const greeting = await client.reply();
    if (greeting.code !== 220) throw new SmtpReplyError('greeting', greeting);
    await client.hello();
    if (wantsTls(client, options)) await client.startTls();
    const { responders = [] } = options;
    if (responders.length > 0) {
      const { offered, ...channel } = client.channel;
      client.responder = await authenticate(responders, offered, new SmtpSasl(client), {
        ...channel,
        allowCleartext: options.allowCleartext ?? false,
      });
    }
    return client;
  } catch (error) {
    conversation.destroy();
    throw error;
  }
}

function wantsTls(client: SmtpClient, options: SmtpClientOptions): boolean {
  const { secure, tls } = client.channel;
  const { startTls = secure ? 'offered' : 'required' } = options;
  if (tls !== undefined || startTls === 'none') return false;
  if (client.extensions.has('STARTTLS')) return true;
  if (startTls === 'required') throw new SmtpProtocolError('the server does not offer STARTTLS');
  return false;
}
