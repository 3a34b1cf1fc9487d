import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { passwordResponders } from '@postern/sasl/client';

/** A submission server on loopback and the login of a user whose name is an address. */
export interface SubmissionAccount {
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** Logs in over ESMTP and sends each of the messages to all recipients. */
export async function submit(
  { port, username, password }: SubmissionAccount,
  recipients: readonly string[],
  messages: readonly Uint8Array[],
): Promise<void> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'none' });
  const responders = passwordResponders({ username, password });
  await using client = await connectSmtp(transport, { startTls: 'none', responders });
  const envelope = { from: address(username), to: recipients.map(address), parameters: { body: '8BITMIME' } } as const;
  for (const message of messages) await client.send(envelope, [message]);
}

function address(text: string): Mailbox {
  const [localPart = '', domain = ''] = text.split('@');
  return new Mailbox(localPart, domain);
}
