import { timingSafeEqual } from 'node:crypto';
import { type Ask, Credentials } from '@postern/cred';
import { MalformedResponse } from '../../errors.ts';
import { hashedToken } from './hashed-token.ts';

/** The client's proof that it has a token which the server issued for one user. */
export class HashedToken extends Credentials {
  readonly username: string;
  readonly #proof: Uint8Array;
  readonly #binding: Uint8Array;
  readonly #ask: Ask;
  #answer: Uint8Array | undefined;

  /**
   * `proof` is 32 bytes. `binding` is the channel binding data, or no bytes. `ask` sends the
   * server's own proof.
   */
  constructor(username: string, proof: Uint8Array, binding: Uint8Array, ask: Ask) {
    super();
    this.username = username;
    this.#proof = proof;
    this.#binding = binding;
    this.#ask = ask;
  }

  /**
   * Returns true if the proof was made with this token. Takes the same time for all tokens of one
   * length.
   */
  checkToken(token: Uint8Array): boolean {
    const expected = hashedToken(token, 'Initiator', this.#binding);
    if (expected.length !== this.#proof.length || !timingSafeEqual(expected, this.#proof)) return false;
    this.#answer = hashedToken(token, 'Responder', this.#binding);
    return true;
  }

  /** Sends the server's own proof. The client's answer is empty. */
  override async accepted(): Promise<void> {
    if (this.#answer === undefined) throw new TypeError('a checker accepted a hashed token without checking it');
    const last = await this.#ask(this.#answer);
    if (last.length > 0) throw new MalformedResponse("the response to the server's proof is not empty");
  }
}
