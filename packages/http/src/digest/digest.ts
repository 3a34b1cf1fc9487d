import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { after, type MaybePromise } from '@postern/core';
import { decodeUtf8, MalformedResponse, preparedName } from '@postern/sasl';
import { quote } from '../schemes/auth-params.ts';
import type { HttpScheme, ProtectionSpace, SchemeAttempt, SchemeOutcome, SchemeServer } from '../schemes/scheme.ts';
import { byteString, type DigestAlgorithm, type DigestInput } from './algorithms.ts';
import { HttpDigestResponse } from './http-digest-response.ts';
import { Nonces } from './nonces.ts';
import { type DigestCredentials, parseDigest } from './parse-digest.ts';

/** The options of {@link digest}. */
export interface DigestOptions {
  /** The algorithms to offer, in this order. Default: SHA-256. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /**
   * Returns the user name with this hash (see {@link digestUserhash}), or undefined. The server
   * then asks clients for the hash in place of the name. Default: absent, and clients send the
   * name.
   */
  readonly usernameOf?: (userhash: string, algorithm: DigestAlgorithm) => MaybePromise<string | undefined>;
  /** The lifetime of a nonce in milliseconds. A client gets a new one unseen. Default: 300,000. */
  readonly nonceLifetime?: number;
  /** The nonces in use that are remembered against replays. Default: 10,000. */
  readonly maxNonces?: number;
  /**
   * The server key, which makes the nonces: at least 32 random bytes. With one key on all machines
   * of a service, each accepts the nonces of the others, and only replays to the same machine are
   * found. Default: one for each server.
   */
  readonly key?: Uint8Array;
}

/**
 * Returns the Digest scheme (RFC 7616), with `qop=auth`. It needs a checker with clear-text
 * passwords, or one of your own that calls `HttpDigestResponse.checkSecret`.
 *
 * @throws RangeError for a key below 32 bytes, or a limit that is not positive.
 * @throws TypeError for an empty list of algorithms, or an unknown one.
 */
export function digest(options: DigestOptions = {}): HttpScheme {
  const { algorithms = ['SHA-256'], nonceLifetime = 300_000, maxNonces = 10_000, key } = options;
  if (algorithms.length === 0 || algorithms.some((name) => name !== 'SHA-256' && name !== 'MD5')) {
    throw new TypeError('algorithms: expected SHA-256, MD5 or both');
  }
  if (key !== undefined && key.length < 32) throw new RangeError(`key: expected 32 bytes or more, not ${key.length}`);
  if (!(nonceLifetime > 0)) throw new RangeError(`nonceLifetime: expected more than 0 ms, not ${nonceLifetime}`);
  if (!(maxNonces >= 1)) throw new RangeError(`maxNonces: expected 1 or more, not ${maxNonces}`);
  return {
    name: 'Digest',
    credentials: HttpDigestResponse,
    exposesSecret: false,
    serve({ realm, clock }: ProtectionSpace) {
      const nonces = new Nonces({
        key: key ?? randomBytes(32),
        realm,
        lifetime: nonceLifetime,
        maxNonces,
        // Wall-clock time, which several machines share, without the jumps of `Date.now`.
        now: () => performance.timeOrigin + clock.now(),
      });
      return new DigestServer(realm, algorithms, options.usernameOf, nonces);
    },
  };
}

/** Digest in one protection space. */
class DigestServer implements SchemeServer {
  readonly #realm: string;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #usernameOf: DigestOptions['usernameOf'];
  readonly #nonces: Nonces;

  constructor(
    realm: string,
    algorithms: readonly DigestAlgorithm[],
    usernameOf: DigestOptions['usernameOf'],
    nonces: Nonces,
  ) {
    this.#realm = realm;
    this.#algorithms = algorithms;
    this.#usernameOf = usernameOf;
    this.#nonces = nonces;
  }

  challenges(): readonly string[] {
    return this.#challenges();
  }

  logIn<A>(attempt: SchemeAttempt<A>): MaybePromise<SchemeOutcome<A>> {
    const { method, target } = attempt.request;
    const credentials = parseDigest(attempt.credentials, this.#algorithms);
    const { uri, nonce, nc, cnonce } = credentials;
    if (credentials.userhash && this.#usernameOf === undefined) throw new MalformedResponse('userhash is not on offer');
    // RFC 7616 §3.4.6: otherwise a digest for one page would open another.
    if (uri !== target) throw new MalformedResponse('the parameter uri of Digest differs from the request target');
    if (credentials.realm !== this.#realm) return { challenges: this.#challenges() };
    // The server does not judge the digest: the client repeats its request with the new nonce.
    if (!this.#nonces.isFresh(nonce, Number.parseInt(nc, 16))) return { challenges: this.#challenges(', stale=true') };
    return this.#logIn(attempt, credentials, { method, uri, nonce, nc, cnonce });
  }

  #logIn<A>(
    { authenticate }: SchemeAttempt<A>,
    presented: DigestCredentials,
    input: DigestInput,
  ): MaybePromise<SchemeOutcome<A>> {
    let credentials: HttpDigestResponse | undefined;
    // The look-up of a hash is part of the login: its time must not show.
    const login = authenticate(() =>
      after(this.#nameOf(presented), (rawUsername) => {
        credentials = this.#credentialsOf(presented, rawUsername, input);
        return credentials;
      }),
    );
    return after(login, (granted) => {
      const { nc, cnonce } = input;
      const info = `rspauth="${credentials?.rspauth}", cnonce=${quote(cnonce)}, nc=${nc}, qop=auth`;
      return { login: granted, headers: [['Authentication-Info', info]] };
    });
  }

  #credentialsOf(
    { algorithm, response }: DigestCredentials,
    rawUsername: string,
    input: DigestInput,
  ): HttpDigestResponse {
    return new HttpDigestResponse({
      username: preparedName(textOf(rawUsername), 'user name'),
      rawUsername,
      realm: this.#realm,
      algorithm,
      input,
      response,
      useNonce: () => this.#nonces.use(input.nonce, Number.parseInt(input.nc, 16)),
    });
  }

  /** Returns the octets of the user name. A hash that no user has stands for an unknown user. */
  #nameOf({ username, userhash, algorithm }: DigestCredentials): MaybePromise<string> {
    if (!userhash) return username;
    return after(this.#usernameOf?.(username, algorithm), (name) => (name === undefined ? username : byteString(name)));
  }

  #challenges(suffix = ''): readonly string[] {
    const userhash = this.#usernameOf === undefined ? '' : ', userhash=true';
    return this.#algorithms.map(
      (algorithm) =>
        `Digest realm=${quote(this.#realm)}, qop="auth", algorithm=${algorithm}, nonce="${this.#nonces.next()}", charset=UTF-8${userhash}${suffix}`,
    );
  }
}

/** Clients that ignore `charset` send ISO 8859-1. */
function textOf(octets: string): string {
  return decodeUtf8(Buffer.from(octets, 'latin1')) ?? octets;
}
