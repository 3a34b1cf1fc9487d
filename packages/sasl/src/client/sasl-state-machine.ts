import { SaslFailure } from './errors.ts';
import type { SaslInterface, SaslReply } from './sasl-interface.ts';

/** Where an exchange is: `unfolded` is the last challenge that came with the server's success. */
export type SaslState = 'initial' | 'waiting' | 'challenge' | 'unfolded' | 'success' | 'failure' | 'aborted';

/**
 * One exchange over a SaslInterface, held to its order. What a server says with its success is unfolded into a last challenge, to
 * be answered by an empty response that does not go out: so a mechanism is the same in every protocol (RFC 4422 §3.6).
 */
export class SaslStateMachine {
  readonly #interface: SaslInterface;
  #state: SaslState = 'initial';
  #reported = false;

  constructor(saslInterface: SaslInterface) {
    this.#interface = saslInterface;
  }

  get state(): SaslState {
    return this.#state;
  }

  /** True once the server has reported success, whatever the mechanism makes of it: it takes the client for authenticated. */
  get reported(): boolean {
    return this.#reported;
  }

  /** Begins the exchange, with the initial response if there is one. Rejects as the interface does. */
  async initiate(mechanism: string, initialResponse?: Uint8Array): Promise<SaslReply> {
    this.#expect('initial');
    return this.#hear(() => this.#interface.initiate(mechanism, initialResponse));
  }

  /** Answers a challenge. Rejects as the interface does, and with SaslFailure if the exchange is over. */
  async respond(response: Uint8Array): Promise<SaslReply> {
    if (this.#state === 'unfolded') return this.#fold(response);
    this.#expect('challenge');
    return this.#hear(() => this.#interface.respond(response));
  }

  /** Cancels the exchange. A server that has reported success already cannot be told any more: that is left to the connection. */
  async abort(): Promise<void> {
    if (this.#state === 'unfolded' || this.#state === 'success') {
      this.#state = 'failure';
      throw new SaslFailure('the server has reported success: the connection has to be closed');
    }
    this.#expect('challenge');
    this.#state = 'aborted';
    await this.#interface.abort();
  }

  async #hear(say: () => Promise<SaslReply>): Promise<SaslReply> {
    this.#state = 'waiting';
    try {
      const { state, payload } = await say();
      this.#reported = state === 'success';
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

  #fold(response: Uint8Array): SaslReply {
    if (response.length > 0) {
      this.#state = 'failure';
      throw new SaslFailure('the server reported success before the end of the exchange');
    }
    this.#state = 'success';
    return { state: 'success', payload: undefined };
  }

  #expect(state: SaslState): void {
    if (this.#state !== state) throw new SaslFailure(`an exchange cannot go on so: it is in state ${this.#state}`);
  }
}
