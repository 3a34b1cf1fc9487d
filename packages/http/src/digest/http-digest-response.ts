import { PasswordProof, TemporaryFailure } from '@postern/cred';
import {
  byteString,
  type DigestAlgorithm,
  type DigestInput,
  h,
  isSameDigest,
  responseDigest,
  rspauthDigest,
} from './algorithms.ts';

/** The content of a response to a Digest challenge. */
export interface HttpDigestInfo {
  /** The user name, prepared for look-up. */
  readonly username: string;
  /** The user name as it enters the digest: a byte string. */
  readonly rawUsername: string;
  readonly realm: string;
  readonly algorithm: DigestAlgorithm;
  readonly input: DigestInput;
  /** The client's digest in hexadecimal digits. */
  readonly response: string;
  /** Marks the nonce count as used. Returns false if another request has used it. */
  readonly useNonce: () => boolean;
}

/**
 * The client's response to a Digest challenge (RFC 7616 §3.4). A checker with clear-text passwords
 * calls `checkPassword`; a store of H(A1) calls `checkSecret`.
 */
export class HttpDigestResponse extends PasswordProof {
  readonly username: string;
  /** The algorithm that the secret must have. */
  readonly algorithm: DigestAlgorithm;
  /** The realm that the secret must have. */
  readonly realm: string;
  readonly #info: HttpDigestInfo;
  #rspauth: string | undefined;

  constructor(info: HttpDigestInfo) {
    super();
    this.username = info.username;
    this.algorithm = info.algorithm;
    this.realm = info.realm;
    this.#info = info;
  }

  override checkPassword(password: string): boolean {
    const asUtf8 = this.#secretOf(byteString(password));
    // A client that ignores `charset` sends ISO 8859-1. The number of digests depends on the stored
    // password alone.
    const secret = LATIN1_NOT_ASCII.test(password) ? (this.#secretOf(password) ?? asUtf8) : asUtf8;
    return secret !== undefined && this.#accept(secret);
  }

  /**
   * Returns true if the digest was made with this stored secret: H(A1), the digest of
   * `user:realm:password` in lower-case hexadecimal digits (RFC 7616 §3.4.2).
   */
  checkSecret(secret: string): boolean {
    return this.#isRight(secret) && this.#accept(secret);
  }

  /** The server's own proof (RFC 7616 §3.5), in hexadecimal digits. Undefined before the check. */
  get rspauth(): string | undefined {
    return this.#rspauth;
  }

  override accepted(): void {
    if (this.#rspauth === undefined) throw new TemporaryFailure('a checker accepted a Digest response without a check');
  }

  /** Returns the secret of a password in octets, if the response was made with it. */
  #secretOf(password: string): string | undefined {
    const { algorithm, rawUsername, realm } = this.#info;
    const secret = h(algorithm, `${rawUsername}:${realm}:${password}`);
    return this.#isRight(secret) ? secret : undefined;
  }

  #isRight(secret: string): boolean {
    const { algorithm, input, response } = this.#info;
    return isSameDigest(response, responseDigest(algorithm, secret, input));
  }

  /** A replay has a right digest and a nonce count that is used already. */
  #accept(secret: string): boolean {
    const { algorithm, input, useNonce } = this.#info;
    if (this.#rspauth !== undefined) return true;
    if (!useNonce()) return false;
    this.#rspauth = rspauthDigest(algorithm, secret, input);
    return true;
  }
}

const LATIN1_NOT_ASCII = /^(?=.*[\x80-\xff])[\0-\xff]*$/s;
