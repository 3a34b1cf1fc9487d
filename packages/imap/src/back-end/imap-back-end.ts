import type { Conversation } from '@postern/conversation';
import type { Mind } from '@postern/cred';
import { BackEnd, type BackEndOptions, BackEndUnavailable, quote } from '@postern/sasl-profile';
import { capabilitiesAfterLogin } from '../protocol/capabilities.ts';
import { ImapDialogue } from './imap-dialogue.ts';

/** The options of an {@link ImapBackEnd}. */
export interface ImapBackEndOptions extends BackEndOptions {
  /**
   * Sends the client's address to the server by ID before the login, as `x-originating-ip`. Dovecot
   * takes it from the networks of its setting `login_trusted_networks`. Default: false.
   */
  readonly forwardClientAddress?: boolean;
}

/**
 * The avatar of a user in IMAP: the server that has the user's mail. The realm's factory returns
 * one at each login. The client's session then passes through to that server.
 */
export class ImapBackEnd extends BackEnd<string> {
  readonly #forwardsClientAddress: boolean;

  /** @throws RangeError for an account whose names the server would read in another way. */
  constructor({ forwardClientAddress = false, ...options }: ImapBackEndOptions) {
    super(options);
    this.#forwardsClientAddress = forwardClientAddress;
  }

  /**
   * Logs in at the server, and resolves with its capabilities after the login.
   *
   * @throws BackEndUnavailable if the server refuses or does not speak IMAP.
   */
  async logIn(conversation: Conversation, mind: Mind): Promise<string> {
    const server = new ImapDialogue(conversation);
    const status = await server.hearGreeting();
    await this.#startTls(server, conversation, status);
    if (this.#forwardsClientAddress) await server.command(`ID ${addressesOf(mind)}`);
    if (status !== 'PREAUTH') await this.#authenticate(server, conversation);
    return capabilitiesAfterLogin(await server.knowCapabilities());
  }

  /** Starts TLS as the policy of the transport demands (RFC 9051 §6.2.1). */
  async #startTls(server: ImapDialogue, { transport }: Conversation, status: 'OK' | 'PREAUTH'): Promise<void> {
    if (transport.tls !== undefined || transport.tlsPolicy === 'none') return;
    if (status === 'OK') {
      if (this.startsTls(transport, await server.offers('STARTTLS'))) await server.startTls();
      return;
    }
    // RFC 9051 §11.1: an attacker could keep a client from STARTTLS by PREAUTH.
    if (transport.tlsPolicy === 'offered') return;
    throw new BackEndUnavailable('the back end greets with PREAUTH before the required TLS');
  }

  async #authenticate(server: ImapDialogue, { transport }: Conversation): Promise<void> {
    const { authzid, username, password, plain } = this.credentialsFor(transport);
    if (await server.offers('AUTH=PLAIN')) {
      await server.authenticate('PLAIN', plain);
      return;
    }
    const [name, secret] = [quote(username), quote(password)];
    if (authzid !== '' || name === undefined || secret === undefined || (await server.offers('LOGINDISABLED'))) {
      throw new BackEndUnavailable('the back end does not offer AUTH=PLAIN, which this account needs');
    }
    await server.logIn(`LOGIN ${name} ${secret}`);
  }
}

/** Returns the client's address in the parameters that Dovecot and Cyrus know. */
function addressesOf({ remote, local }: Mind): string {
  const parameters = [
    ['x-originating-ip', remote.address],
    ['x-originating-port', String(remote.port)],
    ['x-connected-ip', local.address],
    ['x-connected-port', String(local.port)],
  ];
  return `(${parameters.map(([name = '', value = '']) => `"${name}" ${quote(value) ?? 'NIL'}`).join(' ')})`;
}
