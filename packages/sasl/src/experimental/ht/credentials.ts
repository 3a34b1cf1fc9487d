import { timingSafeEqual } from 'node:crypto';
import { type Ask, Credentials } from '@postern/cred';
import { MalformedResponse } from '../../errors.ts';
import { hashedToken } from './hashed-token.ts';

/** A proof that the client has a token that the server gave it before, for one user. */
export class HashedToken extends Credentials {
  readonly username: string;
  readonly #proof: Uint8Array;
  readonly #binding: Uint8Array;
  readonly #ask: Ask;
  #answer: Uint8Array | undefined;

  /** The proof is 32 bytes; the binding is the channel's data, or nothing. */
  constructor(username: string, proof: Uint8Array, binding: Uint8Array, ask: Ask) {
    super();
    this.username = username;
    this.#proof = proof;
    this.#binding = binding;
    this.#ask = ask;
  }

  /** True if the proof was made with this token. Takes the same time for all tokens of a length. */
  checkToken(token: Uint8Array): boolean {
    const expected = hashedToken(token, 'Initiator', this.#binding);
    if (expected.length !== this.#proof.length || !timingSafeEqual(expected, this.#proof)) return false;
    this.#answer = hashedToken(token, 'Responder', this.#binding);
    return true;
  }

  /** Says the server's own proof, to which the client has nothing to add. */
  override async accepted(): Promise<void> {
    if (this.#answer === undefined) throw new TypeError('a checker accepted a hashed token without checking it');
    const last = await this.#ask(this.#answer);
    if (last.length > 0) throw new MalformedResponse("a client has nothing to say to the server's proof");
  }
}
