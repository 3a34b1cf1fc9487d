import { SaslFailure } from './errors.ts';
import type { SaslInterface, SaslReply } from './sasl-interface.ts';

/**
 * The state of an exchange. In `unfolded` the last challenge has come with the server's success.
 */
export type SaslState = 'initial' | 'waiting' | 'challenge' | 'unfolded' | 'success' | 'failure' | 'aborted';

/**
 * One exchange over a SaslInterface, in its order. Additional data with the server's success
 * becomes a last challenge, whose empty response is not sent. A mechanism is then the same in each
 * protocol (RFC 4422 §3.6).
 */
export class SaslStateMachine {
  readonly #interface: SaslInterface;
  #state: SaslState = 'initial';
  #hasReportedSuccess = false;

  constructor(saslInterface: SaslInterface) {
    this.#interface = saslInterface;
  }

  get state(): SaslState {
    return this.#state;
  }

  /**
   * True once the server has reported success, even if the mechanism then fails: the server takes
   * the client for authenticated.
   */
  get hasReportedSuccess(): boolean {
    return this.#hasReportedSuccess;
  }

  /**
   * Begins the exchange, with the initial response if there is one.
   *
   * @throws SaslFailure if the exchange has begun, or the error of the interface.
   */
  async initiate(mechanism: string, initialResponse?: Uint8Array): Promise<SaslReply> {
    this.#expect('initial');
    return this.#send(() => this.#interface.initiate(mechanism, initialResponse));
  }

  /**
   * Answers a challenge.
   *
   * @throws SaslFailure if no challenge is due, or the error of the interface.
   */
  async respond(response: Uint8Array): Promise<SaslReply> {
    if (this.#state === 'unfolded') return this.#endUnfolded(response);
    this.#expect('challenge');
    return this.#send(() => this.#interface.respond(response));
  }

  /**
   * Cancels the exchange.
   *
   * @throws SaslFailure if the server has reported success: the client then has to close the
   * connection.
   */
  async abort(): Promise<void> {
    if (this.#state === 'unfolded' || this.#state === 'success') {
      this.#state = 'failure';
      throw new SaslFailure('the server has reported success: the connection has to be closed');
    }
    this.#expect('challenge');
    this.#state = 'aborted';
    await this.#interface.abort();
  }

  async #send(message: () => Promise<SaslReply>): Promise<SaslReply> {
    this.#state = 'waiting';
    try {
      const { state, payload } = await message();
      this.#hasReportedSuccess = state === 'success';
      if (payload === undefined) {
        this.#state = 'success';
        return { state: 'success', payload };
      }
      this.#state = state === 'success' ? 'unfolded' : 'challenge';
      return { state: 'challenge', payload };
    } catch (error) {
      this.#state = 'failure';
      throw error;
    }
  }

  #endUnfolded(response: Uint8Array): SaslReply {
    if (response.length > 0) {
      this.#state = 'failure';
      throw new SaslFailure('the server reported success before the end of the exchange');
    }
    this.#state = 'success';
    return { state: 'success', payload: undefined };
  }

  #expect(state: SaslState): void {
    if (this.#state !== state) throw new SaslFailure(`the exchange is in state ${this.#state}, and not in ${state}`);
  }
}
