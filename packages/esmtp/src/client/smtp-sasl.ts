import { decodeBase64, encodeBase64 } from '@postern/sasl';
import { AuthenticationFailure, SaslFailure, type SaslInterface, type SaslReply } from '@postern/sasl/client';
import type { Reply } from '../protocol/reply.ts';
import { CLOSING, inLines, SmtpReplyError } from './errors.ts';
import { MASK, type SmtpClient } from './smtp-client.ts';

/** The framing of SASL in SMTP, seen from the client (RFC 4954 §4). */
export class SmtpSasl implements SaslInterface {
  readonly #client: SmtpClient;

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  async initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply> {
    if (initialResponse === undefined) return this.#say(`AUTH ${mechanism}`);
    const command = `AUTH ${mechanism} ${initialResponse.length === 0 ? '=' : encodeBase64(initialResponse)}`;
    if (command.length <= MAX_COMMAND) return this.#say(command, `AUTH ${mechanism} ${MASK}`);
    // Too long for a command line: the server has to ask for it with an empty challenge.
    const { state } = await this.#say(`AUTH ${mechanism}`);
    if (state === 'success') throw new SaslFailure('the server reported success before the exchange');
    return this.respond(initialResponse);
  }

  respond(response: Uint8Array): Promise<SaslReply> {
    return this.#say(encodeBase64(response), MASK);
  }

  async abort(): Promise<void> {
    const reply = await this.#client.command('*');
    if (reply.code === CLOSING) throw failure(reply);
    if (reply.code < 500) throw new SaslFailure('the server did not confirm that the exchange is cancelled');
  }

  async #say(line: string, masked = line): Promise<SaslReply> {
    const reply = await this.#client.command(line, masked);
    if (reply.code === 235) return { state: 'success', payload: undefined };
    if (reply.code !== 334) throw failure(reply);
    const payload = decodeBase64(reply.lines.join(''));
    if (payload === undefined) throw new SaslFailure('the challenge is not base64');
    return { state: 'challenge', payload };
  }
}

/**
 * 535 and its like speak of the credentials, everything else of the mechanism or the server (RFC 4954
 * §6). A 421 ends the connection, so no other mechanism can follow.
 */
function failure(reply: Reply): Error {
  if (reply.code === CLOSING) return new SmtpReplyError('AUTH', reply);
  const message = `the server answered ${inLines(reply)}`;
  return REFUSALS.has(reply.code) ? new AuthenticationFailure(message) : new SaslFailure(message);
}

/** With its CRLF 512 octets (RFC 5321 §4.5.3.1.4). */
const MAX_COMMAND = 510;
/** Besides 535: an account that is closed or has to change its password, and a policy that forbids it to log in. */
const REFUSALS = new Set([432, 534, 535, 550]);
