import { randomBytes } from 'node:crypto';
import { encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid, preparedName, responseText } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { type DigestMd5Info, DigestMd5Response } from './credentials.ts';
import { latin1IfPossible } from './digest.ts';
import { byteString, type Directives, parseDirectives, quote } from './directives.ts';

/** The options of DIGEST-MD5 on a server. */
export interface DigestMd5Options {
  /**
   * The realm of the users, in ASCII: usually the host's name. A stored secret is valid in one
   * realm only.
   */
  readonly realm: string;
  /**
   * The name of the service: `smtp`, `pop`, `imap`. The server refuses a client of another service.
   * Default: any.
   */
  readonly service?: string;
  /** The names of this host. The server refuses a client that names another host. Default: any. */
  readonly hosts?: readonly string[];
  /** Returns the server's nonce, a new one in each call. Default: 128 random bits. */
  readonly nonce?: () => string;
}

/**
 * Returns the challenger of DIGEST-MD5 (RFC 2831), without security layers and subsequent
 * authentication. The mechanism is historic (RFC 6331), for clients that know no better one. Its
 * stored secrets are as good as passwords.
 *
 * @throws TypeError if `realm` is not ASCII.
 */
export function digestMd5(options: DigestMd5Options): Challenger<DigestMd5Response> {
  const { realm, nonce = randomNonce } = options;
  if (!/^[\x20-\x7e]+$/.test(realm)) throw new TypeError(`realm: expected ASCII, not ${JSON.stringify(realm)}`);
  return {
    mechanism: 'DIGEST-MD5',
    credentials: DigestMd5Response,
    exposesSecret: false,
    strength: STRENGTH.digest + 10,
    serverFirst: true,
    // RFC 6331. Some clients prefer it to all other mechanisms.
    isHistoric: true,
    async challenge(ask) {
      const serverNonce = nonce();
      // The one form that all clients read: no blanks, no further directives, the algorithm
      // unquoted.
      const challenge = `realm=${quote(realm)},nonce=${quote(serverNonce)},qop="auth",charset=utf-8,algorithm=md5-sess`;
      const response = await ask(encodeUtf8(challenge));
      return new DigestMd5Response(readResponse(response, serverNonce, options), ask);
    },
  };
}

/** Reads a digest-response (RFC 2831 §2.1.2). Each directive that matters must be right. */
function readResponse(response: Uint8Array, nonce: string, { realm, service, hosts }: DigestMd5Options): DigestMd5Info {
  const directives = response.length < MAX_RESPONSE_OCTETS ? parseDirectives(byteString(response)) : undefined;
  if (directives === undefined) throw new MalformedResponse('a DIGEST-MD5 response is a list of directives');
  const one = (name: string, isRight: (value: string) => boolean = () => true): string => {
    const value = atMostOne(directives, name);
    if (value === undefined || !isRight(value)) throw wrong(name);
    return value;
  };
  const optional = (name: string, isRight: (value: string) => boolean): string | undefined =>
    directives.has(name) ? one(name, isRight) : undefined;

  const charset = optional('charset', (value) => value.toLowerCase() === 'utf-8');
  const rawUsername = Buffer.from(one('username'), 'latin1');
  const username = charset === undefined ? rawUsername.toString('latin1') : responseText(rawUsername);
  const rawAuthzid = optional('authzid', (value) => value !== '');
  optional('maxbuf', (value) => /^\d+$/.test(value));
  optional('cipher', () => true);
  one('realm', (value) => value === realm);

  const name = preparedName(username, 'user name');
  const authzid = rawAuthzid && preparedAuthzid(responseText(Buffer.from(rawAuthzid, 'latin1')), name);
  return {
    username: name,
    authzid,
    rawUsername: latin1IfPossible(username),
    rawRealm: encodeUtf8(realm),
    input: {
      nonce: one('nonce', (value) => value === nonce),
      cnonce: one('cnonce', (value) => value !== ''),
      nc: one('nc', (value) => value === '00000001'),
      qop: optional('qop', (value) => value.toLowerCase() === 'auth') ?? 'auth',
      digestUri: one('digest-uri', (value) => isMeant(value, service, hosts)),
      authzid: rawAuthzid,
    },
    response: one('response', (value) => /^[0-9a-f]{32}$/.test(value)),
  };
}

function atMostOne(directives: Directives, name: string): string | undefined {
  const [value, ...more] = directives.get(name) ?? [];
  if (more.length > 0) throw wrong(name);
  return value;
}

function wrong(name: string): MalformedResponse {
  return new MalformedResponse(`the directive ${name} is missing, doubled or wrong`);
}

/**
 * Returns true if a digest-uri, `serv-type "/" host [ "/" serv-name ]`, names this service on this
 * host.
 */
function isMeant(digestUri: string, service: string | undefined, hosts: readonly string[] | undefined): boolean {
  const [type, host, ...serviceName] = digestUri.toLowerCase().split('/');
  if (!type || !host || serviceName.length > 1) return false;
  if (service !== undefined && type !== service.toLowerCase()) return false;
  return hosts === undefined || hosts.some((name) => name.toLowerCase() === host);
}

function randomNonce(): string {
  return randomBytes(16).toString('base64');
}

/** The longest response in octets (RFC 2831 §2.1.2). */
const MAX_RESPONSE_OCTETS = 4096;
