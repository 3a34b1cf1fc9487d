import { after, type MaybePromise } from '@postern/core';
import { type Ask, PasswordProof, type ProofState, TemporaryFailure } from '@postern/cred';
import { encodeBase64, encodeUtf8 } from '../bytes.ts';
import { MalformedResponse } from '../errors.ts';
import type { Decoys } from './decoys.ts';
import type { ScramHash } from './hashes.ts';
import { formatAuthMessage, formatServerFinal, formatServerFirst, parseClientFinal } from './messages.ts';
import type { ScramSecret } from './secret.ts';

/** An exchange after the client's first message. */
export interface ScramExchange {
  readonly hash: ScramHash;
  /** Prepared, as is the authzid. */
  readonly username: string;
  readonly authzid: string | undefined;
  /** The client-first-message-bare as received. */
  readonly clientFirstBare: string;
  /** The client's nonce and ours. */
  readonly nonce: string;
  /** What the client's `c` attribute has to be; undefined if nothing will do. */
  readonly binding: string | undefined;
  readonly decoys: Decoys;
  readonly ask: Ask;
}

/**
 * Live credentials of a SCRAM exchange: the client has said its name and proves the rest when it is asked to, once. A store with
 * SCRAM secrets calls `verify` with the one for {@link ScramCredentials.hash}; a store with clear-text passwords `checkPassword`.
 */
export class ScramCredentials extends PasswordProof {
  readonly username: string;
  /** Of which hash the secret has to be. */
  readonly hash: ScramHash;
  readonly #exchange: ScramExchange;
  #heard: Promise<Heard> | undefined;
  #proofState: ProofState = 'unasked';
  #signature: string | undefined;

  constructor(exchange: ScramExchange) {
    super(exchange.authzid);
    this.username = exchange.username;
    this.hash = exchange.hash;
    this.#exchange = exchange;
  }

  override get proofState(): ProofState {
    return this.#proofState;
  }

  /**
   * Runs the exchange with this secret: true if the client knows its password. False when called a second time, whoever called
   * first. Rejects with what the exchange broke with; with a TypeError for a secret of another hash.
   */
  verify(secret: ScramSecret): Promise<boolean> {
    if (secret.hash !== this.hash) {
      return Promise.reject(new TypeError(`a secret for ${secret.hash}, where one for ${this.hash} is needed`));
    }
    if (this.#heard !== undefined) return Promise.resolve(false);
    return this.#hear(secret.encodedSalt, secret.iterations).then((heard) => this.#judge(heard, secret));
  }

  override async checkPassword(password: string): Promise<boolean> {
    if (this.#heard !== undefined) return false;
    const { decoys } = this.#exchange;
    // The derivation waits for the proof: before it, neither time nor load tells whether there is a password.
    const final = await this.#hear(encodeBase64(decoys.salt(this.username)), decoys.iterations);
    return this.#judge(final, await decoys.derive(this.username, password));
  }

  /** Says the server's signature, by which the client knows that the server knows it (RFC 5802 §3). */
  override async accepted(): Promise<void> {
    if (this.#signature === undefined)
      throw new TemporaryFailure('a checker accepted SCRAM credentials without a proof');
    const response = await this.#exchange.ask(encodeUtf8(formatServerFinal(this.#signature)));
    if (response.length > 0) throw new MalformedResponse('the response to the server-final-message is not empty');
  }

  /** Runs the exchange to its end, against nobody if no checker has: an unknown user looks like a wrong password. */
  override async conclude(): Promise<void> {
    if (this.#heard === undefined) await this.verify(this.#exchange.decoys.decoySecret(this.username));
    else await this.#heard;
  }

  #hear(salt: string, iterations: number): Promise<Heard> {
    this.#proofState = 'asked';
    const serverFirst = formatServerFirst(this.#exchange.nonce, salt, iterations);
    this.#heard = hear(this.#exchange, serverFirst, () => {
      this.#proofState = 'arrived';
      return this.proofArrived();
    });
    return this.#heard;
  }

  #judge({ proof, bound, authMessage }: Heard, secret: ScramSecret): boolean {
    const signature = secret.sign(proof, authMessage);
    if (bound) this.#signature = signature;
    return this.#signature !== undefined;
  }
}

/** The credentials of each hash have a class of their own, for stores that hold secrets of some hashes only. */
export class ScramSha1Credentials extends ScramCredentials {}
/** Those of SCRAM-SHA-224. */
export class ScramSha224Credentials extends ScramCredentials {}
/** Those of SCRAM-SHA-256. */
export class ScramSha256Credentials extends ScramCredentials {}
/** Those of SCRAM-SHA-384. */
export class ScramSha384Credentials extends ScramCredentials {}
/** Those of SCRAM-SHA-512. */
export class ScramSha512Credentials extends ScramCredentials {}
/** Those of SCRAM-SHA3-512. */
export class ScramSha3_512Credentials extends ScramCredentials {}

/** The class of the credentials of each hash. */
export const SCRAM_CREDENTIALS: Readonly<Record<ScramHash, new (exchange: ScramExchange) => ScramCredentials>> = {
  sha1: ScramSha1Credentials,
  sha224: ScramSha224Credentials,
  sha256: ScramSha256Credentials,
  sha384: ScramSha384Credentials,
  sha512: ScramSha512Credentials,
  'sha3-512': ScramSha3_512Credentials,
};

/** A client-final-message, and what it was said to. */
interface Heard {
  readonly proof: Uint8Array;
  /** True if nonce and channel binding are those of this exchange. */
  readonly bound: boolean;
  readonly authMessage: string;
}

function hear(exchange: ScramExchange, serverFirst: string, arrived: () => MaybePromise<void>): Promise<Heard> {
  return exchange.ask(encodeUtf8(serverFirst)).then((response) => {
    const final = parseClientFinal(response);
    if (final === undefined) throw new MalformedResponse('not a SCRAM client-final-message');
    const heard: Heard = {
      proof: final.proof,
      // The client knows both: there is nothing to learn from the time that comparing them takes.
      bound: final.nonce === exchange.nonce && final.binding === exchange.binding,
      authMessage: formatAuthMessage(exchange.clientFirstBare, serverFirst, final.withoutProof),
    };
    return after(arrived(), () => heard);
  });
}
