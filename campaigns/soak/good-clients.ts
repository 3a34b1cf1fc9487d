import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, type SmtpClient } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder, scramResponder } from '@postern/sasl/client';
import { LineClient } from '../line-client.ts';
import { type Ledger, makeMessage } from './messages.ts';

/** Where good clients find a server, and what they see of it. */
export interface GoodClientOptions {
  readonly port: number;
  /** `tls` from the first octet, or `starttls`, logs in; `mx` and `lmtp` do not. */
  readonly kind: 'tls' | 'starttls' | 'mx' | 'lmtp';
  /** The authority of the server's certificate. */
  readonly ca: string;
  readonly ledger: Ledger;
  /** How long whole messages took, in milliseconds. */
  readonly times: number[];
  readonly signal: AbortSignal;
}

/**
 * Sends messages, several on each connection, until the signal aborts. A refusal or a broken
 * connection is no error.
 */
export async function sendMessages(options: GoodClientOptions): Promise<void> {
  while (!options.signal.aborted) {
    let client: SmtpClient | undefined;
    try {
      client = await logIn(options);
      for (let count = randomInt(1, 10); count > 0 && !options.signal.aborted; count--) {
        await sendMessage(client, options);
        await pause(randomInt(20, 200));
      }
      await client.quit();
    } catch {
      // Faults are a part of the load: what counts is that nothing acknowledged is lost.
      await pause(500);
    } finally {
      client?.conversation.destroy();
    }
  }
}

async function logIn({ kind, port, ca }: GoodClientOptions): Promise<SmtpClient> {
  const isSubmission = kind === 'tls' || kind === 'starttls';
  const transport = await connect({
    endpoint: { host: '127.0.0.1', port },
    tlsPolicy: kind === 'tls' ? 'implicit' : isSubmission ? 'required' : 'none',
    ca,
    serverName: 'localhost',
  });
  const user = { username: 'ann', password: PASSWORD };
  const responder = randomInt(2) === 0 ? plainResponder(user) : scramResponder({ hash: 'sha256', ...user });
  return await connectSmtp(transport, {
    hostname: 'client.example.org',
    startTls: kind === 'starttls' ? 'required' : 'none',
    lmtp: kind === 'lmtp',
    readTimeout: PATIENCE_MS,
    dataTimeout: PATIENCE_MS,
    ...(isSubmission && { responders: [responder] }),
  });
}

async function sendMessage(client: SmtpClient, { kind, ledger, times }: GoodClientOptions): Promise<void> {
  const { id, text } = makeMessage();
  const isSubmission = kind === 'tls' || kind === 'starttls';
  const to = isSubmission ? [new Mailbox('bob', 'example.net')] : RECIPIENTS;
  const start = performance.now();
  const outgoing = await client.open({ from: new Mailbox('ann', 'example.com'), to });
  for (let at = 0; at < text.length; at += PIECE) await outgoing.write(text.subarray(at, at + PIECE));
  const answers = await outgoing.end();
  times.push(performance.now() - start);
  for (const [index, { code }] of answers.entries()) {
    if (code === 250) ledger.acknowledge(isSubmission ? id : `${id} ${to[index]?.localPart}`);
  }
}

/** Asks NOOP all the time, a few on each connection, until the signal aborts. */
export async function probe(port: number, times: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      using client = await LineClient.connect(port);
      await client.say('EHLO prober.example.org');
      for (let count = 0; count < 40 && !signal.aborted; count++) {
        const start = performance.now();
        await client.say('NOOP');
        times.push(performance.now() - start);
        await pause(25);
      }
    } catch {
      await pause(200);
    }
  }
}

/** The right password of ann. */
export const PASSWORD = 'right-Secret-1';
const RECIPIENTS = [new Mailbox('ann', 'example.com'), new Mailbox('bob', 'example.com')];
const PATIENCE_MS = 60_000;
const PIECE = 40_000;
