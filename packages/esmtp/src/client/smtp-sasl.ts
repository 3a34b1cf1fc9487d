import { decodeBase64, encodeBase64 } from '@postern/sasl';
import { AuthenticationFailure, SaslFailure, type SaslInterface, type SaslReply } from '@postern/sasl/client';
import type { Reply } from '../protocol/reply.ts';
import { CLOSING, formatReply, SmtpReplyError } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';
import { MASK } from './smtp-dialogue.ts';

/** The SASL profile of SMTP, on the side of the client (RFC 4954 §4). */
export class SmtpSasl implements SaslInterface {
  readonly #client: SmtpClient;

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  async initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply> {
    if (initialResponse === undefined) return this.#exchange(`AUTH ${mechanism}`);
    const command = `AUTH ${mechanism} ${initialResponse.length === 0 ? '=' : encodeBase64(initialResponse)}`;
    if (command.length <= MAX_COMMAND_OCTETS) return this.#exchange(command, `AUTH ${mechanism} ${MASK}`);
    // The response is too long for a command line. The server asks for it with an empty challenge.
    const { state } = await this.#exchange(`AUTH ${mechanism}`);
    if (state === 'success') throw new SaslFailure('the server reported success before the exchange');
    return this.respond(initialResponse);
  }

  respond(response: Uint8Array): Promise<SaslReply> {
    return this.#exchange(encodeBase64(response), MASK);
  }

  async abort(): Promise<void> {
    const reply = await this.#client.command('*');
    if (reply.code === CLOSING) throw failure(reply);
    if (reply.code < 500) throw new SaslFailure('the server did not confirm that the exchange is cancelled');
  }

  async #exchange(line: string, masked = line): Promise<SaslReply> {
    const reply = await this.#client.command(line, masked);
    if (reply.code === 235) return { state: 'success', payload: undefined };
    if (reply.code !== 334) throw failure(reply);
    const payload = decodeBase64(reply.lines.join(''));
    if (payload === undefined) throw new SaslFailure('the challenge is not base64');
    return { state: 'challenge', payload };
  }
}

/**
 * Returns the error for a refusal (RFC 4954 §6): AuthenticationFailure if the credentials are
 * wrong, SaslFailure if another mechanism may succeed. A 421 ends the connection, so no other
 * mechanism can follow.
 */
function failure(reply: Reply): Error {
  if (reply.code === CLOSING) return new SmtpReplyError('AUTH', reply);
  const message = `the server replied ${formatReply(reply)}`;
  return CREDENTIAL_CODES.has(reply.code) ? new AuthenticationFailure(message) : new SaslFailure(message);
}

/** The most octets of a command without its CRLF (RFC 5321 §4.5.3.1.4). */
const MAX_COMMAND_OCTETS = 510;
/**
 * The codes about the credentials: 535, a disabled account, a required password change, a policy
 * against the login.
 */
const CREDENTIAL_CODES = new Set([432, 534, 535, 550]);
