import { after, type MaybePromise } from '@postern/core';
import { type Ask, PasswordProof, type ProofState, TemporaryFailure } from '@postern/cred';
import { encodeBase64, encodeUtf8 } from '../bytes.ts';
import { MalformedResponse } from '../errors.ts';
import type { Decoys, ScramParameters } from './decoys.ts';
import type { ScramHash } from './hashes.ts';
import { formatAuthMessage, formatServerFinal, formatServerFirst, parseClientFinal } from './messages.ts';
import type { ScramSecret } from './secret.ts';

/** A SCRAM exchange after the client-first-message. */
export interface ScramExchange {
  readonly hash: ScramHash;
  /** The user name, prepared. */
  readonly username: string;
  /** The authorization identity, prepared. */
  readonly authzid: string | undefined;
  /** The client-first-message-bare as received. */
  readonly clientFirstBare: string;
  /** The client's nonce, followed by the server's. */
  readonly nonce: string;
  /**
   * The `c` attribute that the client must send, or a function that returns it once the
   * client-final-message has arrived. Undefined if the server must refuse the client.
   */
  readonly binding: string | (() => string | undefined) | undefined;
  readonly decoys: Decoys;
  readonly ask: Ask;
}

/**
 * Live credentials of a SCRAM exchange: the client has sent its name, and proves its password once
 * the server has sent the salt. A store with SCRAM secrets calls `verify` with the secret for
 * {@link hash}. A store with clear-text passwords calls `checkPassword`.
 */
export class ScramCredentials extends PasswordProof {
  readonly username: string;
  /** The hash that the secret must have. */
  readonly hash: ScramHash;
  readonly #exchange: ScramExchange;
  #proof: Promise<Proof> | undefined;
  #proofState: ProofState = 'unasked';
  #signature: string | undefined;
  #storedName: string;
  #parameters: readonly (ScramParameters | undefined)[] = [];

  constructor(exchange: ScramExchange) {
    super(exchange.authzid);
    this.username = exchange.username;
    this.#storedName = exchange.username;
    this.hash = exchange.hash;
    this.#exchange = exchange;
  }

  override get proofState(): ProofState {
    return this.#proofState;
  }

  /**
   * Runs the exchange with this secret. Resolves with true if the client knows its password. A
   * second call resolves with false: an exchange has one proof.
   *
   * @throws TypeError for a secret of another hash.
   * @throws the error that breaks the exchange.
   */
  verify(secret: ScramSecret): Promise<boolean> {
    if (secret.hash !== this.hash) {
      return Promise.reject(new TypeError(`expected a secret for ${this.hash}, not for ${secret.hash}`));
    }
    if (this.#proof !== undefined) return Promise.resolve(false);
    return this.#requestProof(secret.encodedSalt, secret.iterations).then((proof) => this.#judge(proof, secret));
  }

  override async checkPassword(password: string): Promise<boolean> {
    if (this.#proof !== undefined) return false;
    const { decoys } = this.#exchange;
    // The derivation follows the proof: neither time nor load then reveals whether the user exists.
    const proof = await this.#requestProof(encodeBase64(decoys.salt(this.#storedName)), decoys.iterations);
    return this.#judge(proof, await decoys.derive(this.#storedName, password));
  }

  /**
   * Makes the challenge of an unknown user look like those of a store. `storedName` is the name by
   * which the store looks the user up: all spellings of it get one salt. `parameters` are those of
   * the store's secrets for {@link hash}, of which each name gets one; undefined stands for the
   * challenger's own. A checker calls it before it refuses the user or calls `checkPassword`.
   */
  hideAmong(storedName: string, parameters: readonly (ScramParameters | undefined)[]): void {
    this.#storedName = storedName;
    this.#parameters = [...this.#parameters, ...parameters];
  }

  /**
   * Sends the server's signature, which proves to the client that the server knows the user (RFC
   * 5802 §3).
   */
  override async accepted(): Promise<void> {
    if (this.#signature === undefined)
      throw new TemporaryFailure('a checker accepted SCRAM credentials without a proof');
    const response = await this.#exchange.ask(encodeUtf8(formatServerFinal(this.#signature)));
    if (response.length > 0) throw new MalformedResponse('the response to the server-final-message is not empty');
  }

  /**
   * Runs the exchange to its end, against a decoy if no checker did: an unknown user looks like a
   * wrong password.
   */
  override async conclude(): Promise<void> {
    if (this.#proof === undefined)
      await this.verify(this.#exchange.decoys.decoySecret(this.#storedName, this.#parameters));
    else await this.#proof;
  }

  #requestProof(salt: string, iterations: number): Promise<Proof> {
    this.#proofState = 'asked';
    const serverFirst = formatServerFirst(this.#exchange.nonce, salt, iterations);
    this.#proof = requestProof(this.#exchange, serverFirst, () => {
      this.#proofState = 'arrived';
      return this.proofArrived();
    });
    return this.#proof;
  }

  #judge({ proof, bound, authMessage }: Proof, secret: ScramSecret): boolean {
    const signature = secret.sign(proof, authMessage);
    if (bound) this.#signature = signature;
    return this.#signature !== undefined;
  }
}

/**
 * The credentials of SCRAM-SHA-1. Each hash has its class, for stores with secrets of some hashes
 * only.
 */
export class ScramSha1Credentials extends ScramCredentials {}
/** The credentials of SCRAM-SHA-224. */
export class ScramSha224Credentials extends ScramCredentials {}
/** The credentials of SCRAM-SHA-256. */
export class ScramSha256Credentials extends ScramCredentials {}
/** The credentials of SCRAM-SHA-384. */
export class ScramSha384Credentials extends ScramCredentials {}
/** The credentials of SCRAM-SHA-512. */
export class ScramSha512Credentials extends ScramCredentials {}
/** The credentials of SCRAM-SHA3-512. */
export class ScramSha3_512Credentials extends ScramCredentials {}

/** The credentials class of each hash. */
export const SCRAM_CREDENTIALS: Readonly<Record<ScramHash, new (exchange: ScramExchange) => ScramCredentials>> = {
  sha1: ScramSha1Credentials,
  sha224: ScramSha224Credentials,
  sha256: ScramSha256Credentials,
  sha384: ScramSha384Credentials,
  sha512: ScramSha512Credentials,
  'sha3-512': ScramSha3_512Credentials,
};

/** A client-final-message, and the AuthMessage of its exchange. */
interface Proof {
  readonly proof: Uint8Array;
  /** True if nonce and channel binding are those of this exchange. */
  readonly bound: boolean;
  readonly authMessage: string;
}

function requestProof(exchange: ScramExchange, serverFirst: string, arrived: () => MaybePromise<void>): Promise<Proof> {
  return exchange.ask(encodeUtf8(serverFirst)).then((response) => {
    const final = parseClientFinal(response);
    if (final === undefined) throw new MalformedResponse('not a SCRAM client-final-message');
    const binding = typeof exchange.binding === 'function' ? exchange.binding() : exchange.binding;
    const received: Proof = {
      proof: final.proof,
      // The client knows both, so the time of the comparison reveals nothing.
      bound: final.nonce === exchange.nonce && final.binding === binding,
      authMessage: formatAuthMessage(exchange.clientFirstBare, serverFirst, final.withoutProof),
    };
    return after(arrived(), () => received);
  });
}
