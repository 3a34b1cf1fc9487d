import type { Conversation } from '@postern/conversation';
import { isLocal } from '@postern/core';
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
  async #startTls(server: ImapDialogue, conversation: Conversation, status: 'OK' | 'PREAUTH'): Promise<void> {
    const { tls, tlsPolicy } = conversation.transport;
    if (tls !== undefined || tlsPolicy === 'none') return;
    if (tlsPolicy === 'offered' && (status === 'PREAUTH' || !(await server.offers('STARTTLS')))) return;
    // RFC 9051 §11.1: an attacker could keep a client from STARTTLS by PREAUTH.
    if (status === 'PREAUTH') throw new BackEndUnavailable('the back end greets with PREAUTH before the required TLS');
    if (!(await server.offers('STARTTLS'))) throw new BackEndUnavailable('the back end offers no STARTTLS');
    await server.startTls();
  }

  async #authenticate(server: ImapDialogue, { transport }: Conversation): Promise<void> {
    const { credentials } = this;
    if (credentials === undefined) {
      throw new BackEndUnavailable('the back end wants a login; expected the option account, or a greeting of PREAUTH');
    }
    if (transport.tls === undefined && transport.tlsPolicy !== 'none' && !isLocal(transport.remote)) {
      throw new BackEndUnavailable('the back end offers no TLS; expected a connection with TLS, or the policy none');
    }
    const { authzid, username, password, plain } = credentials;
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
