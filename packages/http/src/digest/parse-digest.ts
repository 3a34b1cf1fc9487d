import { MalformedResponse } from '@postern/sasl';
import { type AuthParams, parseAuthParams } from '../schemes/auth-params.ts';
import { byteString, type DigestAlgorithm, digitsOf } from './algorithms.ts';

/** The credentials of a request in Digest (RFC 7616 §3.4). Texts are byte strings. */
export interface DigestCredentials {
  readonly username: string;
  /** True if `username` is the hash of the name. */
  readonly userhash: boolean;
  readonly realm: string;
  readonly uri: string;
  readonly nonce: string;
  /** The nonce count as sent: eight hexadecimal digits. */
  readonly nc: string;
  readonly cnonce: string;
  readonly algorithm: DigestAlgorithm;
  readonly response: string;
}

/**
 * Parses the credentials of Digest, for the algorithms that the server offers.
 *
 * @throws MalformedResponse for a text outside the grammar, and for a missing or wrong parameter.
 */
export function parseDigest(text: string, algorithms: readonly DigestAlgorithm[]): DigestCredentials {
  const params = parseAuthParams(text);
  if (params === undefined) throw new MalformedResponse('the credentials of Digest are not a list of parameters');
  const algorithm = algorithmOf(params, algorithms);
  required(params, 'qop', (value) => value === 'auth');
  const userhash = flag(params, 'userhash');
  return {
    username: usernameOf(params, userhash),
    userhash,
    realm: required(params, 'realm'),
    uri: required(params, 'uri'),
    nonce: required(params, 'nonce'),
    nc: required(params, 'nc', (value) => /^(?!0{8})[0-9a-f]{8}$/i.test(value)),
    cnonce: required(params, 'cnonce', (value) => value !== ''),
    algorithm,
    response: required(
      params,
      'response',
      (value) => /^[0-9a-f]+$/.test(value) && value.length === digitsOf(algorithm),
    ),
  };
}

/** MD5 is the algorithm of a client that names none (RFC 7616 §3.3). */
function algorithmOf(params: AuthParams, algorithms: readonly DigestAlgorithm[]): DigestAlgorithm {
  const name = (params.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = algorithms.find((offered) => offered === name);
  if (algorithm === undefined) throw wrong('algorithm');
  return algorithm;
}

/** Either `username` or `username*` is there (RFC 7616 §3.4). */
function usernameOf(params: AuthParams, userhash: boolean): string {
  const extended = params.get('username*');
  if (extended === undefined) return required(params, 'username');
  if (userhash || params.has('username')) throw wrong('username*');
  return extendedValue(extended);
}

/** Returns the octets of an ext-value in UTF-8 (RFC 8187 §3.2.1): `UTF-8''J%c3%a4s%c3%b8n`. */
function extendedValue(value: string): string {
  const [, encoded] = EXT_VALUE.exec(value) ?? [];
  try {
    if (encoded !== undefined) return byteString(decodeURIComponent(encoded));
  } catch {
    // The octets are not UTF-8.
  }
  throw wrong('username*');
}

function flag(params: AuthParams, name: string): boolean {
  const value = params.get(name)?.toLowerCase() ?? 'false';
  if (value !== 'true' && value !== 'false') throw wrong(name);
  return value === 'true';
}

function required(params: AuthParams, name: string, isRight: (value: string) => boolean = () => true): string {
  const value = params.get(name);
  if (value === undefined || !isRight(value)) throw wrong(name);
  return value;
}

function wrong(name: string): MalformedResponse {
  return new MalformedResponse(`the parameter ${name} of Digest is missing or wrong`);
}

const EXT_VALUE = /^UTF-8'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-Fa-f]{2})*)$/i;
