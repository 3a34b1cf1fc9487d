import { Conversation, type Deadlines, type Transport } from '@postern/conversation';
import { authenticate, type Responder } from '@postern/sasl/client';
import { ehloName } from './ehlo-name.ts';
import { SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { type DialogueLogger, SmtpClient } from './smtp-client.ts';
import { SmtpSasl } from './smtp-sasl.ts';

/** How a client introduces itself to a server. */
export interface SmtpClientOptions {
  /**
   * The client's own name, for EHLO: a fully qualified domain or an address literal. Default: the
   * literal of the client's address (RFC 5321 §4.1.4).
   */
  readonly hostname?: string;
  /**
   * When to start TLS on a transport without it: `required` breaks off where the server does not offer it; `offered` takes it where
   * it can be had, which an attacker can prevent; `none` does not. Default: `required`, on this machine itself `offered`.
   */
  readonly startTls?: 'required' | 'offered' | 'none';
  /** Logs in with one of these, the best that the server offers too. Without any the client does not log in. */
  readonly responders?: readonly Responder[];
  /** Says a password or token on a channel that is not secure as well. Default: false. */
  readonly allowCleartext?: boolean;
  /** Speaks LMTP (RFC 2033) instead of SMTP. */
  readonly lmtp?: boolean;
  /** How long the server may take for a reply, in milliseconds. Default: 300,000 (RFC 5321 §4.5.3.2). */
  readonly readTimeout?: number;
  /** The same for the answer to a whole message. Default: 600,000. A client that gives up sooner may send a message twice. */
  readonly dataTimeout?: number;
  /** Where these deadlines are kept: one for all clients of a program. Default: its own. */
  readonly deadlines?: Deadlines;
  readonly trace?: DialogueLogger;
}

/**
 * Greets an SMTP or LMTP server, starts TLS, logs in, and resolves to a client that is ready to send. Rejects with SmtpReplyError,
 * SmtpProtocolError, a SaslError, or the conversation's error; the transport is closed then.
 */
export async function connectSmtp(transport: Transport, options: SmtpClientOptions): Promise<SmtpClient> {
  const {
    hostname = ehloName(undefined, transport.local),
    deadlines,
    lmtp = false,
    readTimeout = 300_000,
    dataTimeout = 600_000,
    trace = () => {},
  } = options;
  const conversation = new Conversation(
    transport,
    deadlines === undefined ? { readTimeout } : { readTimeout, deadlines },
  );
  const client = new SmtpClient(conversation, { hostname, lmtp, trace, dataTimeout: dataTimeout });
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
